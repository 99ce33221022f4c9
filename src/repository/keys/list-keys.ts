import { HoldfastError } from '../../base/errors.ts'
import type { RepositoryContext } from '../context.ts'
import { repositoryError } from '../errors.ts'
import { type Id, isId, shortId } from '../format/ids.ts'
import { withLock } from '../lock.ts'
import { type AddKeyOptions, addKey, passwordOf, recoveryUsername } from './add-key.ts'
import { openKeyFile } from './key-file.ts'

/** A key file, as people tell them apart. Nothing of it is secret. */
export interface KeyInfo {
  readonly id: Id
  readonly username: string
  readonly hostname: string
  /** RFC 3339, as the file says. */
  readonly created: string
  /** It opened the repository this time. */
  readonly current: boolean
  /** Its password is derived from the installation's recovery key. */
  readonly recovery: boolean
}

interface Call {
  readonly signal?: AbortSignal
}

/** In order of age. Files that cannot be read stand among them with empty fields. */
export async function listKeys(context: RepositoryContext, currentId: Id, { signal }: Call = {}): Promise<KeyInfo[]> {
  const keys: KeyInfo[] = []
  for (const { id } of await context.files.list('keys', signal)) {
    const file = await findFields(context, id, signal)
    if (file) keys.push({ id, ...file, current: id === currentId, recovery: isRecoveryFile(file) })
  }
  return keys.toSorted((a, b) => (a.created < b.created ? -1 : a.created > b.created ? 1 : 0))
}

/** One more key, of which is known that it opens: it is read back and tried. */
export async function addProvenKey(context: RepositoryContext, options: AddKeyOptions): Promise<{ readonly keyId: Id }> {
  const { signal } = options
  const { keyId } = await addKey(context, options)
  const json = await context.store.get(`keys/${keyId}`, { limitBytes: 1 << 20, ...(signal && { signal }) })
  if (await openKeyFile(json, passwordOf(options.key, context.config.id), `keys/${shortId(keyId)}`)) return { keyId }
  await context.store.delete(`keys/${keyId}`)
  throw repositoryError('REPOSITORY_DAMAGED', `keys/${shortId(keyId)}: the key just added does not open; it was removed again`)
}

/** Alone, as in restic. The key that opened the repository cannot remove itself, so one that works always stays. */
export async function removeKey(context: RepositoryContext, currentId: Id, id: string, { signal }: Call = {}): Promise<Id> {
  const found = (await context.files.list('keys', signal)).filter((key) => id !== '' && key.id.startsWith(id))
  const [key, second] = found
  if (!key || second)
    throw repositoryError(
      'REPOSITORY_BAD_ARGUMENT',
      `${found.length} keys begin with "${id}"; list the keys and give the id of one`,
    )
  if (key.id === currentId)
    throw repositoryError(
      'REPOSITORY_BAD_ARGUMENT',
      `key ${shortId(key.id)} opened the repository; open it with another key to remove this one`,
    )
  await withLock(context, { exclusive: true, ...(signal && { signal }) }, (locked) =>
    context.store.delete(`keys/${key.id}`, { signal: locked }),
  )
  return key.id
}

/** A new key in the place of the one that opened the repository. If it breaks off, both are there. */
export async function changeKey(
  context: RepositoryContext,
  currentId: Id,
  options: AddKeyOptions,
): Promise<{ readonly keyId: Id; readonly removed: Id }> {
  const { signal } = options
  return withLock(context, { exclusive: true, ...(signal && { signal }) }, async (locked) => {
    const { keyId } = await addProvenKey(context, { ...options, signal: locked })
    await context.store.delete(`keys/${currentId}`, { signal: locked })
    return { keyId, removed: currentId }
  })
}

type Fields = Pick<KeyInfo, 'username' | 'hostname' | 'created'>

async function findFields({ store }: RepositoryContext, id: Id, signal: AbortSignal | undefined): Promise<Fields | undefined> {
  try {
    return fieldsOf(await store.get(`keys/${id}`, { limitBytes: 1 << 20, ...(signal && { signal }) }))
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'STORE_NOT_FOUND') return undefined
    throw error
  }
}

function fieldsOf(json: Uint8Array): Fields {
  const nothing: Fields = { username: '', hostname: '', created: '' }
  try {
    const value: unknown = JSON.parse(Buffer.from(json).toString())
    if (typeof value !== 'object' || value === null) return nothing
    const fields: Readonly<Record<string, unknown>> = { ...value }
    const text = (name: keyof Fields): string => (typeof fields[name] === 'string' ? fields[name] : '')
    return { username: text('username'), hostname: text('hostname'), created: text('created') }
  } catch {
    // Listed all the same: somebody may want to remove it.
    return nothing
  }
}

function isRecoveryFile({ username, hostname }: Fields): boolean {
  return username === recoveryUsername && isId(hostname)
}
