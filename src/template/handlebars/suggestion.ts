import { nearestNames } from '../nearest.ts'

/** What may have been meant, or all there is where that is little; '' when neither helps. */
export function suggestion(name: string, names: readonly string[]): string {
  const near = nearestNames(name, names)
  if (near.length > 0) return `; did you mean ${near.map(quoted).join(' or ')}?`
  if (names.length === 0 || names.length > 12) return ''
  return `; there is ${names.map(quoted).join(', ')}`
}

export function quoted(text: string): string {
  return `"${text}"`
}
