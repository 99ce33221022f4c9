import { secretType, templateParamsType } from './context-types.ts'
import type { GoField, GoType } from './go/go-type.ts'
import { isExported } from './go/members.ts'

/** Where a path from the root of the context leads, by the declared types alone. */
export type PathEnd =
  /** Undefined behind values of any type: what stands there is known at run time only. */
  | { readonly type: GoType | undefined }
  /** The part at this index does not exist; `names` are those that do, `holder` is the type that lacks it. */
  | { readonly missingAt: number; readonly holder: GoType; readonly names: readonly string[] }

/** Follows a path through structs, maps and lists. `*` stands for any key or item. */
export function followContextPath(parts: readonly string[]): PathEnd {
  let type: GoType = templateParamsType
  for (const [at, part] of parts.entries()) {
    const holder: GoType = type.kind === 'ptr' && type.elem ? type.elem : type
    if (holder.kind === 'interface') return { type: undefined }
    const next = memberType(holder, part)
    if (!next) return { missingAt: at, holder, names: memberNames(holder) }
    type = next
  }
  return { type }
}

function memberType(holder: GoType, part: string): GoType | undefined {
  switch (holder.kind) {
    case 'map':
      return holder.elem
    case 'slice':
      return part === '*' || /^\d+$/.test(part) ? holder.elem : undefined
    case 'struct':
      return fieldType(holder, part) ?? holder.methods?.[part]?.result ?? promotedMethod(holder, part)
    default:
      return holder.methods?.[part]?.result
  }
}

function fieldType(struct: GoType, name: string): GoType | undefined {
  if (!isExported(name)) return undefined
  const own = struct.fields?.find((field) => field.name === name)
  return own?.type ?? embedded(struct, (inner) => fieldType(inner, name))
}

function promotedMethod(struct: GoType, name: string): GoType | undefined {
  return embedded(struct, (inner) => inner.methods?.[name]?.result ?? promotedMethod(inner, name))
}

function embedded(struct: GoType, find: (inner: GoType) => GoType | undefined): GoType | undefined {
  for (const field of struct.fields ?? []) {
    const found = field.embedded ? find(plain(field.type)) : undefined
    if (found) return found
  }
  return undefined
}

/** Names of the fields of a struct, those of embedded ones among them. */
export function memberNames(type: GoType): readonly string[] {
  return (type.fields ?? []).flatMap((field: GoField) =>
    field.embedded ? memberNames(plain(field.type)) : isExported(field.name) ? [field.name] : [],
  )
}

function plain(type: GoType): GoType {
  return type.kind === 'ptr' && type.elem ? type.elem : type
}

/** JSON names of an object's metadata, as `.Object.metadata` has them. */
export const objectMetadataNames: readonly string[] = (
  secretType.fields?.find((field) => field.name === 'ObjectMeta')?.type.fields ?? []
).map((field) => (field.json ?? field.name).split(',')[0] ?? '')
