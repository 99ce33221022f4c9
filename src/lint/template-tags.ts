/** A text with each of its tags, from `{{` to `}}`, replaced by as many of a character as it has; lines stay lines. */
export function coverTags(text: string, cover: string): string {
  let covered = ''
  let at = 0
  for (;;) {
    const start = text.indexOf('{{', at)
    const end = start < 0 ? -1 : text.indexOf('}}', start + 2)
    if (end < 0) return covered + text.slice(at)
    let behind = end + 2
    while (text[behind] === '}') behind++
    covered += text.slice(at, start) + text.slice(start, behind).replace(/[^\n]/g, cover)
    at = behind
  }
}
