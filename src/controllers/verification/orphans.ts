import { names } from '../../api/names.ts'
import type { Verification } from '../../api/verification.ts'
import { messageOf } from '../../base/errors.ts'
import { kinds } from '../../kube/kinds.ts'
import type { Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import { removeNamespace, stopActionSets, type CleanDeps } from './test-namespace.ts'

/**
 * Throw-away namespaces that nobody needs any more: their Verification is gone, has ended without keeping them, or is at another attempt. The server
 * is asked, not the cache. Gives what could not be removed.
 */
export async function removeOrphans(deps: CleanDeps, namespace: string, signal: AbortSignal): Promise<string[]> {
  const { items } = await deps.kube.resource(kinds.namespaces).list({ labelSelector: names.verification, signal })
  const problems: string[] = []
  for (const { metadata } of items) {
    const {
      [names.verification]: name = '',
      [names.verificationUid]: uid = '',
      [names.verificationNamespace]: of = '',
    } = metadata.annotations ?? {}
    if (of !== namespace || name === '' || uid === '') continue
    const owner = await deps.kube.resource(ownKinds.verifications).find({ namespace, name }, { signal })
    if (owner?.metadata.uid === uid && isNeeded(owner, metadata.name)) continue
    try {
      if (owner?.metadata.uid !== uid)
        await stopActionSets(deps, { namespace, label: metadata.labels?.[names.verification] ?? '', uid }, signal)
      const problem = await removeNamespace(deps, metadata.name, uid, signal)
      if (problem !== undefined) problems.push(problem)
    } catch (error) {
      // The rights may have been taken away meanwhile; one that stays keeps no other.
      signal.throwIfAborted()
      problems.push(`namespace ${metadata.name}: ${messageOf(error)}`)
    }
  }
  return problems
}

/** While it runs it looks after its namespaces itself. */
function isNeeded({ metadata, spec, status }: Live<Verification>, name: string): boolean {
  if (metadata.deletionTimestamp !== undefined) return false
  const { state = 'pending' } = status ?? {}
  if (state !== 'complete' && state !== 'failed') return true
  return state === 'failed' && spec.restore?.keepOnFailure === true && status?.namespace === name
}
