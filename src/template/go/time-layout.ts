/**
 * Go writes a time's form as an example: how Mon Jan 2 15:04:05 MST 2006 would look in it. This finds the parts of
 * such a layout for parsing.
 */
export type LayoutElement =
  | 'January'
  | 'Jan'
  | '1'
  | '01'
  | 'Monday'
  | 'Mon'
  | '2'
  | '_2'
  | '02'
  | '__2'
  | '002'
  | '15'
  | '3'
  | '03'
  | '4'
  | '04'
  | '5'
  | '05'
  | '2006'
  | '06'
  | 'PM'
  | 'pm'
  | 'MST'
  | ZoneElement
  | 'fraction0'
  | 'fraction9'

/** Offsets from UTC; those with Z write a zero offset as `Z`. */
export type ZoneElement =
  | 'Z070000'
  | 'Z07:00:00'
  | 'Z0700'
  | 'Z07:00'
  | 'Z07'
  | '-070000'
  | '-07:00:00'
  | '-0700'
  | '-07:00'
  | '-07'

export interface LayoutPart {
  /** Literal text before the element. */
  readonly prefix: string
  readonly element: LayoutElement
  /** Digits of a fraction of a second, else 0. */
  readonly digits: number
  /** `.` or `,` before the fraction, else ''. */
  readonly separator: string
  /** What of the layout is left. */
  readonly rest: string
}

/** The first element in a layout with the text before it; undefined when the rest is literal. */
export function nextPart(layout: string): LayoutPart | undefined {
  for (let at = 0; at < layout.length; at++) {
    const fraction = fractionAt(layout, at)
    if (fraction) return fraction
    // `_2006` is a literal underscore before a year, not a padded day.
    if (layout.startsWith('_2006', at)) return part(layout, at + 1, '2006')
    for (const element of elementsByInitial[layout[at] ?? ''] ?? []) {
      if (layout.startsWith(element, at) && !isInsideWord(layout, at, element)) return part(layout, at, element)
    }
  }
  return undefined
}

/** By first letter, longest first where one begins like another. */
const elementsByInitial: Readonly<Record<string, readonly LayoutElement[]>> = {
  J: ['January', 'Jan'],
  M: ['Monday', 'Mon', 'MST'],
  '0': ['01', '02', '03', '04', '05', '06', '002'],
  '1': ['15', '1'],
  '2': ['2006', '2'],
  _: ['_2', '__2'],
  '3': ['3'],
  '4': ['4'],
  '5': ['5'],
  P: ['PM'],
  p: ['pm'],
  '-': ['-070000', '-07:00:00', '-0700', '-07:00', '-07'],
  Z: ['Z070000', 'Z07:00:00', 'Z0700', 'Z07:00', 'Z07'],
}

/** `Janet` and `Monkey` are words, not elements. */
function isInsideWord(layout: string, at: number, element: LayoutElement): boolean {
  return (element === 'Jan' || element === 'Mon') && /[a-z]/.test(layout[at + 3] ?? '')
}

function fractionAt(layout: string, at: number): LayoutPart | undefined {
  const match = /^[.,](0+|9+)(?![0-9])/.exec(layout.slice(at, at + 40))
  if (!match) return undefined
  const run = match[1] ?? ''
  return {
    prefix: layout.slice(0, at),
    element: run.startsWith('0') ? 'fraction0' : 'fraction9',
    digits: run.length,
    separator: layout[at] ?? '',
    rest: layout.slice(at + 1 + run.length),
  }
}

function part(layout: string, at: number, element: LayoutElement): LayoutPart {
  return { prefix: layout.slice(0, at), element, digits: 0, separator: '', rest: layout.slice(at + element.length) }
}
