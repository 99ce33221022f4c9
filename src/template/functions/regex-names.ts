/** Numbers of the groups that have a name; several may share one. */
export type GroupNames = ReadonlyMap<string, readonly number[]>

/** The same pattern with its groups unnamed, and which numbers had which name. */
export function withoutNames(pattern: string): { unnamed: string; names: GroupNames } {
  const names = new Map<string, number[]>()
  let count = 0
  const unnamed = pattern.replace(token, (whole, name: string | undefined) => {
    if (name === undefined) {
      if (whole === '(') count++
      return whole
    }
    count++
    names.set(name, [...(names.get(name) ?? []), count])
    return '('
  })
  return { unnamed, names }
}

/** Quoted text, escapes and character classes hold no groups; `(?` without a name opens none that is counted. */
const token = /\\Q[^]*?(?:\\E|$)|\\[^]|\[\^?\]?(?:\\[^]|\[:\^?\w+:\]|[^\]\\])*\]|\(\?P?<([A-Za-z0-9_]+)>|\(\?|\(/g
