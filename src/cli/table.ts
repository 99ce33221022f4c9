/** Columns as wide as their widest cell, two blanks apart; the first row is the head. */
export function renderTable(rows: ReadonlyArray<readonly string[]>): string {
  // One by one: a call takes no hundred thousand arguments.
  const widths = (rows[0] ?? []).map((_, column) => rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}
