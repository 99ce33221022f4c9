import type { ActionSet } from '../../api/actionset.ts'
import { names } from '../../api/names.ts'
import type { Kube } from '../../kube/kube.ts'
import type { Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import { foreignIn } from './foreign-backups.ts'
import { keepOfActionSet } from './projection.ts'

/** ActionSets of imported backups of others in a namespace, as the server has them and as the caches keep them: there may be ten thousand. */
export async function listImported(
  kube: Pick<Kube, 'resource'>,
  namespace: string,
  signal: AbortSignal,
): Promise<Live<ActionSet>[]> {
  const found: Live<ActionSet>[] = []
  const pages = kube.resource(ownKinds.actionSets).pages({ namespace, labelSelector: `${names.imported}=true`, signal })
  for await (const { items } of pages) found.push(...items.map(keepOfActionSet).filter((each) => foreignIn(each) !== undefined))
  return found
}
