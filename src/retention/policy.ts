/** How long, in parts of a calendar. restic writes it `1y5m7d2h`. */
export interface Within {
  readonly years: number
  readonly months: number
  readonly days: number
  readonly hours: number
}

/** The periods of a calendar from each of which the newest backup is kept. */
export const periods = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
export type Period = (typeof periods)[number]

/** Which backups of one object are kept. A backup is kept if any of these keeps it. Numbers: how many; -1 is all. */
export interface RetentionPolicy {
  readonly last?: number
  /** The newest backup of each of so many hours, days, ISO weeks, months, years that have one. */
  readonly per?: Readonly<Partial<Record<Period, number>>>
  /** All that are younger than this, counted from the newest backup, not from now: an application that is switched off keeps its backups. */
  readonly within?: Within
  /** The newest of each period within this time, counted likewise. */
  readonly perWithin?: Readonly<Partial<Record<Period, Within>>>
}

/** Reads `1y5m7d2h` (years, months, days, hours, in any order, each at most once). Undefined: that is no such time. */
export function parseWithin(text: string): Within | undefined {
  if (!/^(?:\d+[ymdh])+$/.test(text)) return undefined
  const parts = [...text.matchAll(/(\d+)([ymdh])/g)].map(([, number, unit]) => [unit, Number(number)] as const)
  const found = new Map(parts)
  if (found.size !== parts.length) return undefined
  const of = (unit: string): number => found.get(unit) ?? 0
  return { years: of('y'), months: of('m'), days: of('d'), hours: of('h') }
}

export function isEmptyPolicy({ last, per, within, perWithin }: RetentionPolicy): boolean {
  const counts = [last, ...Object.values(per ?? {})]
  const times = [within, ...Object.values(perWithin ?? {})]
  return counts.every((count) => !count) && times.every((time) => time === undefined)
}
