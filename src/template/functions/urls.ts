import { anyMap, string } from '../go/go-type.ts'
import { dictOf, type GoMap, textIn } from '../go/value.ts'
import { defineTemplateFunction, FunctionError, type TemplateFunction } from './define.ts'
import { emptyUrl, formatUrl, formatUser, hostnameOf, parseUrl, UrlError } from './go-url.ts'
import { kindOf, nilDereference } from './kind.ts'

export const urlFunctions: readonly TemplateFunction[] = [
  defineTemplateFunction({
    name: 'urlParse',
    summary: 'A URL as a dictionary: scheme, userinfo, host, hostname, path, query, opaque, fragment.',
    example: ['{{ (urlParse "https://u@h:9000/p?q").host }}', 'h:9000'],
    params: [string],
    result: anyMap,
    call: (_host, text) => {
      const url = failing('unable to parse url', () => parseUrl(text))
      return dictOf([
        ['scheme', url.scheme],
        ['host', url.host],
        ['hostname', hostnameOf(url.host)],
        ['path', url.path],
        ['query', url.query],
        ['opaque', url.opaque],
        ['fragment', url.fragment],
        ['userinfo', url.user ? formatUser(url.user) : ''],
      ])
    },
  }),
  defineTemplateFunction({
    name: 'urlJoin',
    summary: 'A URL from such a dictionary.',
    example: ['{{ urlJoin (dict "scheme" "s3" "host" "bucket" "path" "/a b") }}', 's3://bucket/a%20b'],
    params: [anyMap],
    result: string,
    call: (_host, parts) => {
      const userinfo = partOf(parts, 'userinfo')
      const user =
        userinfo === ''
          ? undefined
          : failing('unable to parse userinfo in dict', () => parseUrl(`proto://${userinfo}@host`)).user
      return formatUrl({
        ...emptyUrl(),
        scheme: partOf(parts, 'scheme'),
        host: partOf(parts, 'host'),
        path: partOf(parts, 'path'),
        query: partOf(parts, 'query'),
        opaque: partOf(parts, 'opaque'),
        fragment: partOf(parts, 'fragment'),
        ...(user ? { user } : {}),
      })
    },
  }),
]

function failing<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof UrlError) throw new FunctionError(`${what}: ${error.message}`)
    throw error
  }
}

function partOf(parts: GoMap, key: string): string {
  if (!parts.entries.has(key)) return ''
  const value = parts.entries.get(key) ?? null
  if (value === null) throw nilDereference()
  const text = textIn(value)
  if (text === undefined)
    throw new FunctionError(`unable to parse ${key} key, must be of type string, but ${kindOf(value)} found`)
  return text
}
