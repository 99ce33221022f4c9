/** What a part of the bench found, by name; nested where there is one for each of several things. */
export type Figures = Readonly<Record<string, number | boolean | Readonly<Record<string, number>>>>

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

/** To three digits after the point: more is noise. */
export function rounded(figures: Figures): Figures {
  const round = (value: number): number => Math.round(value * 1000) / 1000
  const entries = Object.entries(figures).map(([name, value]) => {
    if (typeof value === 'boolean') return [name, value]
    if (typeof value === 'number') return [name, round(value)]
    return [name, Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, round(inner)]))]
  })
  return Object.fromEntries(entries) as Figures
}
