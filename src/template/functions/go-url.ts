import { isIP, isIPv4 } from 'node:net'
import { isAscii, toBytes } from '../go/byte-string.ts'
import { quote } from '../go/quote.ts'
import { fromByteString, toByteString } from './text-layout.ts'

/** A URL as Go's package net/url takes it apart. */
export interface GoUrl {
  scheme: string
  opaque: string
  user?: GoUserinfo
  host: string
  path: string
  /** The path as it was written, where escaping `path` would give another. */
  rawPath: string
  omitHost: boolean
  forceQuery: boolean
  query: string
  fragment: string
}

export interface GoUserinfo {
  readonly name: string
  readonly password?: string
}

/** A text that is no URL, with Go's reason. */
export class UrlError extends Error {}

/** Characters besides letters and digits that stay as they are in each part of a URL. */
const plain = {
  path: '$&+,-./:;=@_~',
  user: '$&+,-.;=_~',
  host: '!"$&\'()*+,-.:;<=>[]_~',
  fragment: '!$&()*+,-./:;=?@_~',
} as const

type UrlPart = keyof typeof plain

/** `url.Parse`; throws UrlError with the text of Go's error. */
export function parseUrl(raw: string): GoUrl {
  const hash = raw.indexOf('#')
  const before = hash < 0 ? raw : raw.slice(0, hash)
  const url = within(before, () => parseWithoutFragment(before))
  if (hash < 0) return url
  return { ...url, fragment: within(raw, () => unescapePart(raw.slice(hash + 1), 'fragment')) }
}

/** `URL.String()` */
export function formatUrl(url: GoUrl): string {
  let out = url.scheme === '' ? '' : `${url.scheme}:`
  if (url.opaque !== '') out += url.opaque
  else {
    out += formatAuthority(url)
    const path = escapedPath(url)
    if (path !== '' && !path.startsWith('/') && url.host !== '') out += '/'
    // Without this, what stands before the colon would be taken for a scheme.
    if (out === '' && (path.split('/', 1)[0] ?? '').includes(':')) out += './'
    out += path
  }
  if (url.forceQuery || url.query !== '') out += `?${url.query}`
  return url.fragment === '' ? out : `${out}#${escapePart(url.fragment, 'fragment')}`
}

/** `Userinfo.String()` */
export function formatUser(user: GoUserinfo): string {
  const password = user.password === undefined ? '' : `:${escapePart(user.password, 'user')}`
  return escapePart(user.name, 'user') + password
}

/** `URL.Hostname()`: the host without port and brackets. */
export function hostnameOf(host: string): string {
  const colon = host.lastIndexOf(':')
  const bare = colon >= 0 && isPort(host.slice(colon)) ? host.slice(0, colon) : host
  return bare.startsWith('[') && bare.endsWith(']') ? bare.slice(1, -1) : bare
}

export function emptyUrl(): GoUrl {
  return {
    scheme: '',
    opaque: '',
    host: '',
    path: '',
    rawPath: '',
    omitHost: false,
    forceQuery: false,
    query: '',
    fragment: '',
  }
}

function within<T>(raw: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof UrlError) throw new UrlError(`parse ${quote(raw)}: ${error.message}`)
    throw error
  }
}

function parseWithoutFragment(raw: string): GoUrl {
  if (Array.from(raw).some((char) => char < ' ' || char === '\x7f'))
    throw new UrlError('net/url: invalid control character in URL')
  const url = emptyUrl()
  if (raw === '*') return { ...url, path: '*' }
  let rest = takeScheme(raw, url)
  const question = rest.indexOf('?')
  url.forceQuery = question >= 0 && question === rest.length - 1
  if (question >= 0) {
    url.query = rest.slice(question + 1)
    rest = rest.slice(0, question)
  }
  if (!rest.startsWith('/')) {
    if (url.scheme !== '') return { ...url, opaque: rest }
    if ((rest.split('/', 1)[0] ?? '').includes(':')) throw new UrlError('first path segment in URL cannot contain colon')
  }
  if (rest.startsWith('//') && (url.scheme !== '' || !rest.startsWith('///'))) {
    const slash = rest.indexOf('/', 2)
    parseAuthority(rest.slice(2, slash < 0 ? undefined : slash), url)
    rest = slash < 0 ? '' : rest.slice(slash)
  } else url.omitHost = url.scheme !== '' && rest.startsWith('/')
  url.path = unescapePart(rest, 'path')
  url.rawPath = escapePart(url.path, 'path') === rest ? '' : rest
  return url
}

function takeScheme(raw: string, url: GoUrl): string {
  if (raw.startsWith(':')) throw new UrlError('missing protocol scheme')
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(raw)
  if (!match) return raw
  url.scheme = (match[1] ?? '').toLowerCase()
  return raw.slice(match[0].length)
}

function parseAuthority(authority: string, url: GoUrl): void {
  const at = authority.lastIndexOf('@')
  url.host = parseHost(url.scheme, authority.slice(at + 1))
  if (at < 0) return
  const userinfo = authority.slice(0, at)
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(userinfo)) throw new UrlError('net/url: invalid userinfo')
  const colon = userinfo.indexOf(':')
  url.user =
    colon < 0
      ? { name: unescapePart(userinfo, 'user') }
      : { name: unescapePart(userinfo.slice(0, colon), 'user'), password: unescapePart(userinfo.slice(colon + 1), 'user') }
}

function parseHost(scheme: string, host: string): string {
  const open = host.lastIndexOf('[')
  if (open > 0) throw new UrlError('invalid IP-literal')
  if (open === 0) return parseIpLiteral(host)
  const first = host.indexOf(':')
  if (first >= 0) {
    // Elsewhere than in http, names with colons have been let through for ever.
    const colon = scheme === 'http' || scheme === 'https' ? first : host.lastIndexOf(':')
    checkPort(host.slice(colon))
  }
  return unescapePart(host, 'host')
}

function parseIpLiteral(host: string): string {
  const close = host.lastIndexOf(']')
  if (close < 0) throw new UrlError("missing ']' in host")
  checkPort(host.slice(close + 1))
  const port = unescapePart(host.slice(close + 1), 'host')
  const literal = host.slice(1, close)
  const zone = literal.indexOf('%25')
  const address =
    zone < 0
      ? unescapePart(literal, 'host')
      : unescapePart(literal.slice(0, zone), 'host') + unescapePart(literal.slice(zone), 'zone')
  if (isIPv4(address)) throw new UrlError('invalid IP-literal')
  if (isIP(address) === 0 || address.endsWith('%')) {
    throw new UrlError(`invalid host: ParseAddr(${quote(address)}): unable to parse IP`)
  }
  return `[${address}]${port}`
}

function checkPort(port: string): void {
  if (!isPort(port)) throw new UrlError(`invalid port ${quote(port)} after host`)
}

function isPort(port: string): boolean {
  return /^(:[0-9]*)?$/.test(port)
}

function unescapePart(text: string, part: UrlPart | 'zone'): string {
  const isHost = part === 'host' || part === 'zone'
  const bytes = toByteString(text)
  let out = ''
  for (let at = 0; at < bytes.length; at++) {
    const char = bytes[at] ?? ''
    if (char !== '%') {
      if (isHost && char < '\x80' && escapes(char, 'host')) throw new UrlError(`invalid character ${quote(char)} in host name`)
      out += char
      continue
    }
    const hex = bytes.slice(at + 1, at + 3)
    if (!/^[0-9a-fA-F]{2}$/.test(hex)) throw invalidEscape(bytes.slice(at, at + 3))
    const decoded = String.fromCharCode(Number.parseInt(hex, 16))
    // In a host only bytes beyond ASCII may be escaped; in a zone what a host may hold, and a space.
    if (part === 'host' && decoded < '\x80' && hex !== '25') throw invalidEscape(`%${hex}`)
    if (part === 'zone' && hex !== '25' && decoded !== ' ' && escapes(decoded, 'host')) throw invalidEscape(`%${hex}`)
    out += decoded
    at += 2
  }
  return fromByteString(out)
}

function invalidEscape(text: string): UrlError {
  return new UrlError(`invalid URL escape ${quote(fromByteString(text))}`)
}

function escapePart(text: string, part: UrlPart): string {
  if (isAscii(text) && !Array.from(text).some((char) => escapes(char, part))) return text
  return Array.from(toBytes(text), (byte) => {
    const char = String.fromCharCode(byte)
    return escapes(char, part) ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}` : char
  }).join('')
}

function escapes(char: string, part: UrlPart): boolean {
  return !/^[A-Za-z0-9]$/.test(char) && !plain[part].includes(char)
}

function escapedPath(url: GoUrl): string {
  if (url.rawPath !== '' && isValidEncoding(url.rawPath)) return url.rawPath
  return url.path === '*' ? '*' : escapePart(url.path, 'path')
}

/** Whether a path as it was written may be printed again. */
function isValidEncoding(path: string): boolean {
  return Array.from(path).every((char) => "!$&'()*+,;=:@[]%".includes(char) || !escapes(char, 'path'))
}

function formatAuthority(url: GoUrl): string {
  if (url.scheme === '' && url.host === '' && !url.user) return ''
  if (url.omitHost && url.host === '' && !url.user) return ''
  const slashes = url.host !== '' || url.path !== '' || url.user ? '//' : ''
  const user = url.user ? `${formatUser(url.user)}@` : ''
  return slashes + user + escapePart(url.host, 'host')
}
