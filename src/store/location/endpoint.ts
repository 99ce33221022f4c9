import { badLocation } from './bad-location.ts'

/** Trailing slashes are cut, a path is kept; a bare `host:port` means https, as for restic and the AWS tools. */
export function endpointOf(text: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol)) {
    throw badLocation(`location.endpoint "${text}" is not a URL like https://s3.example.com:9000`)
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw badLocation('location.endpoint holds credentials: put them into the Secret and leave the URL plain')
  }
  return url.replace(/\/+$/, '')
}
