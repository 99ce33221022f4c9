import { coverTags } from './template-tags.ts'
import { isMap } from './blueprint-facts.ts'

export interface PrintedOutputs {
  /** Keys that the scripts of the phase visibly print. */
  readonly keys: readonly string[]
  /** Whether the scripts mention the key at all, or print keys that they compute. */
  mayPrint(key: string): boolean
}

/** Outputs that a command prints by `kando output KEY VALUE`, `kando … --output-name KEY` or the marker itself. */
export function printedOutputs(args: unknown): PrintedOutputs {
  const text = textsIn(args).join('\n')
  const literal = [
    ...text.matchAll(/\bkando\s+(?:-\S+\s+)*output\s+["']?([A-Za-z0-9_]+)/g),
    ...text.matchAll(/--output-name[= \n]+["']?([A-Za-z0-9_]+)/g),
    ...text.matchAll(/\bkando\b[^\n]*\s-o[= \n]*["']?([A-Za-z0-9_]+)/g),
    ...text.matchAll(/\\?"key\\?"\s*:\s*\\?"([A-Za-z0-9_]+)\\?"/g),
  ].map((match) => match[1] ?? '')
  const keys = [...new Set(/\bkando\b/.test(text) && /\bpush\b/.test(text) ? [...literal, 'kandoOutput'] : literal)]
  const isComputed = /\bkando\s+output\s+["']?\$/.test(text) || /"key\\?"\s*:\s*\\?"[%$]/.test(text)
  return {
    keys,
    mayPrint: (key) => isComputed || new RegExp(`\\b${key.replace(/[^\w]/g, '\\$&')}\\b`).test(coverTags(text, ' ')),
  }
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return isMap(value) ? Object.values(value).flatMap(textsIn) : []
}
