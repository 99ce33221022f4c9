import type { GroupNames } from './regex-names.ts'

/** What a template of a replacement may refer to: groups by number or name. */
export interface MatchGroups {
  group(index: number): string | undefined
  readonly names: GroupNames
}

/**
 * `Regexp.Expand`: `$name` takes as many letters, digits and underscores as there are, `${name}` ends at the brace, `$$`
 * is a dollar. A group that is not there, or took no part, is the empty text; a dollar before anything else stays.
 */
export function expandTemplate(template: string, groups: MatchGroups): string {
  return template.replace(reference, (whole, braced: string | undefined, plain: string | undefined) => {
    if (whole === '$$') return '$'
    const name = braced ?? plain ?? ''
    const numbers = /^\d+$/.test(name) ? [Number(name)] : (groups.names.get(name) ?? [])
    return numbers.map((number) => groups.group(number)).find((text) => text !== undefined) ?? ''
  })
}

const reference = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu
