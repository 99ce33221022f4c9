import { cliError } from '../../errors.ts'

/** Where a repository is, as its URL says it. */
export type RepoPlace =
  | { readonly kind: 's3'; readonly endpoint: string; readonly bucket: string; readonly path: string }
  | { readonly kind: 'folder'; readonly path: string }

/**
 * URLs as restic writes them: `s3:https://host[:port]/bucket/path`, `s3:host/bucket/path` (https), `local:path`, or a path. A repository that plain
 * restic opens by a URL, this opens by the same.
 */
export function parsePlace(url: string): RepoPlace {
  if (url.startsWith('s3:')) return parseS3(url)
  const path = url.startsWith('local:') ? url.slice('local:'.length) : url
  const scheme = /^([a-z][a-z0-9]+):/.exec(path)?.[1]
  if (scheme !== undefined)
    throw cliError('CLI_USAGE', `repositories at "${scheme}:" cannot be named by a URL here; use s3:…, a folder, or --profile`)
  if (path === '')
    throw cliError('CLI_USAGE', 'the repository is empty: give --repo with s3:https://host/bucket/path or a folder')
  return { kind: 'folder', path }
}

function parseS3(url: string): RepoPlace {
  const rest = url.slice('s3:'.length).replace(/^\/\//, '')
  const whole = /^https?:\/\//.test(rest) ? rest : `https://${rest}`
  const parsed = URL.canParse(whole) ? new URL(whole) : undefined
  const [bucket = '', ...path] = parsed?.pathname.split('/').filter((name) => name !== '') ?? []
  if (!parsed || bucket === '') throw cliError('CLI_USAGE', `"${url}" names no bucket: write s3:https://host/bucket/path`)
  if (parsed.username !== '' || parsed.password !== '')
    throw cliError(
      'CLI_USAGE',
      'the URL of the repository holds credentials: give them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    )
  return {
    kind: 's3',
    endpoint: parsed.origin,
    bucket: decoded(bucket),
    path: path.map(decoded).join('/'),
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw cliError('CLI_USAGE', `"${part}" in the URL of the repository has a stray "%": write %25 for it`)
  }
}
