import { createHash } from 'node:crypto'
import { canonicalJson } from '../../catalog/canonical.ts'

/**
 * By which a status says what spec it is of. Not the generation: our kinds have no status subresource, so the server counts a generation for
 * each write of a status too, and a status that names its generation is never up to date.
 */
export function specHash(spec: unknown): string {
  return createHash('sha256').update(canonicalJson(spec)).digest('hex').slice(0, 16)
}
