import { HoldfastError } from '../../base/errors.ts'
import { storeError } from '../errors.ts'

type Known = readonly [code: keyof typeof storeError.table, hint: string]

/** What the file system said, as an error of this room. `what` is a noun: `put of object "k"`. */
export function translateFileError(error: unknown, what: string, where: string): unknown {
  if (error instanceof HoldfastError || !(error instanceof Error)) return error
  // Shape of Node's system errors; checked.
  const { code: errno } = error as { code?: unknown }
  const known = typeof errno === 'string' ? byErrno[errno] : undefined
  if (known === undefined) return error
  const [code, hint] = known
  return storeError(code, `${what} in ${where} failed: ${String(errno)}${hint === '' ? '' : `; ${hint}`}`, { cause: error })
}

const rights = 'check the owner and the mode of the folder, and the rights of the export'
const collides = 'a file stands where the key needs a folder, or the other way round: choose another path'

const byErrno: Readonly<Record<string, Known>> = {
  ENOENT: ['STORE_NOT_FOUND', ''],
  EACCES: ['STORE_DENIED', rights],
  EPERM: ['STORE_DENIED', rights],
  EROFS: ['STORE_DENIED', 'it is mounted for reading only'],
  ELOOP: ['STORE_DENIED', 'symbolic links are not followed'],
  ENOSPC: ['STORE_FULL', 'free space or add storage'],
  EDQUOT: ['STORE_FULL', 'free space or raise the quota'],
  EFBIG: ['STORE_TOO_LARGE', ''],
  ENAMETOOLONG: ['STORE_BAD_KEY', 'choose a shorter path'],
  EISDIR: ['STORE_BAD_KEY', collides],
  ENOTDIR: ['STORE_BAD_KEY', collides],
  ENOTEMPTY: ['STORE_BAD_KEY', collides],
  EEXIST: ['STORE_BAD_KEY', collides],
  EILSEQ: ['STORE_BAD_KEY', 'the file system cannot hold this name'],
  ESTALE: ['STORE_CHANGED', ''],
  EIO: ['STORE_UNAVAILABLE', 'the disk or the server of the volume failed'],
  ETIMEDOUT: ['STORE_UNREACHABLE', 'the server of the volume does not answer'],
  EHOSTDOWN: ['STORE_UNREACHABLE', 'the server of the volume does not answer'],
}
