import { createHash } from 'node:crypto'
import { pullObject } from '../store/plain-object.ts'
import type { DataSource } from './data-sources.ts'
import { recoveryError } from './errors.ts'
import type { OpenedRepositories } from './open-repositories.ts'
import type { RecoveryPlace } from './place.ts'

export interface DownloadOptions {
  readonly signal: AbortSignal
  readonly onWarning?: (warning: string) => void
}

/** The bytes of a stream or an object, verified. Fails instead of ending when they are not what was backed up: whoever takes them keeps them only after the end. */
export async function* downloadStream(
  place: RecoveryPlace,
  opened: OpenedRepositories,
  source: Exclude<DataSource, { readonly kind: 'files' }>,
  { signal, onWarning }: DownloadOptions,
): AsyncGenerator<Uint8Array> {
  if (source.kind === 'object') {
    yield* pullObject(place.root, source.key, { signal })
    return
  }
  const repository = await opened.open(source.repository, signal)
  const request = { snapshot: { id: source.snapshot }, signal, ...(onWarning && { onWarning }) }
  yield* verified(repository.restoreStream({ ...request, ...(source.path !== undefined && { path: source.path }) }), source)
}

async function* verified(
  stream: AsyncIterable<Uint8Array>,
  { sha256, name }: { readonly sha256?: string; readonly name: string },
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  for await (const bytes of stream) {
    hash.update(bytes)
    yield bytes
  }
  const seen = hash.digest('hex')
  if (sha256 !== undefined && seen !== sha256)
    throw recoveryError(
      'RECOVERY_ALTERED',
      `the stream "${name}" has SHA-256 ${seen}, and ${sha256} was backed up: do not use it`,
    )
}

/** Files of a snapshot into a folder; what is right there already is kept. */
export async function downloadFiles(
  opened: OpenedRepositories,
  source: Extract<DataSource, { readonly kind: 'files' }>,
  target: string,
  { signal, onWarning, onProgress }: DownloadOptions & { readonly onProgress?: (bytes: number) => void },
): Promise<{ readonly entries: number; readonly sizeBytes: number }> {
  const repository = await opened.open(source.repository, signal)
  const { entries, bytesWritten, bytesKept } = await repository.restoreFolder({
    snapshot: { id: source.snapshot },
    target,
    signal,
    ...(onWarning && { onWarning }),
    ...(onProgress && { onProgress: ({ bytes }) => onProgress(bytes) }),
  })
  return { entries, sizeBytes: bytesWritten + bytesKept }
}

/** The one that is meant. RECOVERY_NO_DATA lists the candidates when it cannot be told. */
export function chooseSource(
  sources: readonly DataSource[],
  missing: readonly string[],
  { artifact, phase }: { readonly artifact?: string; readonly phase?: string },
): DataSource {
  const meant = sources.filter(
    (source) =>
      (artifact === undefined || source.artifact === artifact || source.name === artifact) &&
      (phase === undefined || source.phase === phase),
  )
  const [one, second] = meant
  if (one && !second) return one
  if (!one && missing.length > 0) throw recoveryError('RECOVERY_NO_DATA', missing.join('; '))
  const list = (one ? meant : sources).map(describeSource).join('; ')
  const asked = one ? 'the backup has several parts' : 'no part of the backup goes by that name'
  throw recoveryError('RECOVERY_NO_DATA', `${asked}: choose with --artifact or --phase among ${list || 'none'}`)
}

export function describeSource(source: DataSource): string {
  const where = [source.phase && `phase ${source.phase}`, source.artifact && `artifact ${source.artifact}`]
    .filter(Boolean)
    .join(', ')
  const what =
    source.kind === 'object'
      ? `object ${source.key}`
      : `${source.kind} of snapshot ${source.snapshot.slice(0, 8)} in ${source.repository}`
  return `${source.name}${where === '' ? '' : ` (${where})`}: ${what}`
}
