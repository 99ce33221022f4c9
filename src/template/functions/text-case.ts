import { isLower, isNumber, isSpace, isUpper, lowerRune, mapRunes, runesOf, titleRune, upperRune } from './runes.ts'

/** `strings.ToUpper` */
export function upperCase(text: string): string {
  return mapRunes(text, upperRune)
}

/** `strings.ToLower` */
export function lowerCase(text: string): string {
  return mapRunes(text, lowerRune)
}

/** `strings.Title`: the first letter of each word in title case; an apostrophe or a hyphen begins a word, `_` does not. */
export function titleCase(text: string): string {
  let before = ' '
  return mapRunes(text, (char) => {
    const begins = separates(before)
    before = char
    return begins ? titleRune(char) : char
  })
}

/** The first letter of each word in lower case; words are what white space separates. */
export function untitle(text: string): string {
  let begins = true
  return mapRunes(text, (char) => {
    if (isSpace(char)) {
      begins = true
      return char
    }
    const result = begins ? lowerRune(char) : char
    begins = false
    return result
  })
}

/** Upper case to lower, lower to upper, lower at the begin of a word to title case. */
export function swapCase(text: string): string {
  let begins = true
  return mapRunes(text, (char) => {
    if (isUpper(char) || /^\p{Lt}$/u.test(char)) {
      begins = false
      return lowerRune(char)
    }
    if (isLower(char)) {
      const result = begins ? titleRune(char) : upperRune(char)
      begins = false
      return result
    }
    begins = isSpace(char)
    return char
  })
}

/**
 * `http_server` to `HttpServer`. Only underscores part words, and the rest of a word becomes lower case. As in the
 * original, a single character behind the leading underscores is lost.
 */
export function camelCase(text: string): string {
  const chars = runesOf(text)
  const start = chars.findIndex((char) => char !== '_')
  if (start < 0) return text
  if (start === chars.length - 1) return '_'.repeat(start)
  let out = '_'.repeat(start)
  let previous = upperRune(chars[start] ?? '')
  for (const char of chars.slice(start + 1)) {
    if (previous === '_' && char === '_') {
      out += '_'
      continue
    }
    if (previous !== '_') out += previous
    previous = previous === '_' ? upperRune(char) : lowerRune(char)
  }
  return out + previous
}

/** `HTTPServer` to `http_server`, with `_` or `-` between the words. */
export function separatedCase(text: string, connector: '_' | '-'): string {
  const chars = runesOf(text)
  let out = ''
  let current: string = connector
  for (let at = 0; at < chars.length;) {
    const previous = current
    current = chars[at++] ?? ''
    if (current === '\ufffd') {
      out += current
    } else if (isUpper(current)) {
      if (previous !== connector && !isNumber(previous)) out += connector
      const run = upperRun(chars, at, current, connector)
      out += run.text
      at = run.next
      current = run.last
    } else if (isNumber(current)) {
      if (previous !== connector && !isNumber(previous)) out += connector
      out += current
    } else {
      if (isConnector(current)) current = connector
      out += current
    }
  }
  return out
}

/**
 * A word that begins with capitals, up to the first character that is none. Of several capitals the last one begins the
 * next word (`HTTPServer`: HTTP, Server), but for a digit or a connector behind them.
 */
function upperRun(
  chars: readonly string[],
  from: number,
  first: string,
  connector: string,
): { text: string; next: number; last: string } {
  let text = lowerRune(first)
  if (from >= chars.length) return { text, next: from, last: first }
  let at = from
  let last = chars[at++] ?? ''
  if (!isUpper(last)) return { text: text + last, next: at, last }
  while (at < chars.length) {
    const held = last
    last = chars[at++] ?? ''
    if (last === '\ufffd') {
      text += lowerRune(held) + last
      break
    }
    if (isUpper(last)) {
      text += lowerRune(held)
      continue
    }
    if (isConnector(last)) {
      last = connector
      text += lowerRune(held)
    } else if (isNumber(last)) {
      text += lowerRune(held) + connector + last
    } else {
      text += connector + lowerRune(held) + last
    }
    break
  }
  // The last capital of a text that ends in capitals is still held, and so is a connector. (A text that ends right
  // behind a capital's successor prints that one again, as the original does.)
  if (at >= chars.length || last === connector) text += lowerRune(last)
  return { text, next: at, last }
}

function isConnector(char: string): boolean {
  return char === '_' || char === ' ' || char === '-'
}

function separates(char: string): boolean {
  if (char <= '\x7f') return !/^[A-Za-z0-9_]$/.test(char)
  return !/^[\p{L}\p{Nd}]$/u.test(char) && isSpace(char)
}
