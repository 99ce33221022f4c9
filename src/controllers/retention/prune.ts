import { createHash } from 'node:crypto'
import { actionSetKind, type ActionSet } from '../../api/actionset.ts'
import { blueprintKind, type Blueprint } from '../../api/blueprint.ts'
import { apiVersionOf } from '../../api/kind.ts'
import { fieldAnnotations, names } from '../../api/names.ts'
import { profileKind } from '../../api/profile.ts'
import { scheduleKind, type PrunedRepository, type Schedule } from '../../api/schedule.ts'
import { toRfc3339 } from '../../base/clock.ts'
import { messageOf, nextOf } from '../../base/errors.ts'
import { installationsAt } from '../../catalog/installations.ts'
import type { Catalog } from '../../catalog/open-catalog.ts'
import { ownerOf, readTakeovers } from '../../catalog/takeover.ts'
import { kubeError } from '../../kube/errors.ts'
import type { Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import { tell } from '../runtime/tell.ts'
import type { RetentionActDeps } from './act.ts'
import { foreignMs } from './space.ts'

/** What a prune is asked for with. */
export interface PruneQuestion {
  readonly schedule: Live<Schedule>
  readonly catalog: Catalog
  /** Namespaces of the objects under the Schedule. */
  readonly namespaces: ReadonlySet<string>
  readonly now: number
}

/**
 * Asks for the prune of a repository by an ordinary ActionSet, which a worker runs. Its name is derived from the moment at which it was due, which
 * status holds already, so a repetition meets itself.
 */
export async function startPrune(
  deps: RetentionActDeps,
  { schedule, catalog, namespaces, now }: PruneQuestion,
  repository: PrunedRepository,
  signal: AbortSignal,
): Promise<PrunedRepository> {
  const foreign = await findForeign(catalog, namespaces, signal)
  if (foreign !== undefined)
    return { ...repository, next: toRfc3339(now + foreignMs), message: foreignText(repository, foreign) }
  const blueprint = pruneBlueprint(schedule.metadata.namespace)
  const wanted = pruneActionSet(schedule, repository, blueprint.metadata.name)
  try {
    await create(deps.kube.resource(ownKinds.blueprints), blueprint, signal)
    await create(deps.kube.resource(ownKinds.actionSets), wanted, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (nextOf(error) !== 'stop') throw error
    const message = `pruning ${repository.path} could not be asked for: ${messageOf(error)}`
    return { ...repository, next: toRfc3339(now + foreignMs), message: message.slice(0, 500) }
  }
  const message = `repository ${repository.path} is pruned by ActionSet ${wanted.metadata.name}`
  tell(deps, scheduleKind, schedule, { type: 'Normal', reason: 'PruningRepository', message })
  return { ...repository, actionSet: wanted.metadata.name, next: toRfc3339(now) }
}

/**
 * Another installation that wrote backups of these namespaces here and was not taken over. What it keeps is its own; it may live, and prune under
 * a Lease of its own cluster.
 */
async function findForeign(
  { location, key, installation }: Catalog,
  namespaces: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const takeovers = await readTakeovers(location, [key, ...(key.previous ?? [])], { signal })
  const there = await installationsAt(location, namespaces, { signal })
  return [...there].toSorted().find((each) => ownerOf(each, takeovers) !== installation)
}

function foreignText({ path }: PrunedRepository, foreign: string): string {
  return `${path} is not pruned: installation ${foreign} keeps backups of the same namespaces here and was not taken over; when it is gone, "holdfast dr takeover", else "holdfast repo prune" now and then`
}

interface Creates<T> {
  create(object: T, options: { readonly signal: AbortSignal }): Promise<unknown>
}

async function create<T>(resource: Creates<T>, object: T, signal: AbortSignal): Promise<void> {
  try {
    await resource.create(object, { signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
  }
}

/** Named by what it says: one of another engine's version stands beside it. */
function pruneBlueprint(namespace: string): Blueprint {
  const args = { backupArtifactPrefix: '{{ .Options.repository }}' }
  const actions = { prune: { phases: [{ func: 'PruneRepository', name: 'prune', args }] } }
  const name = `holdfast-prune-${createHash('sha256').update(JSON.stringify(actions)).digest('hex').slice(0, 10)}`
  // The server fills in the rest.
  const metadata = { name, namespace } as Blueprint['metadata']
  return { apiVersion: apiVersionOf(blueprintKind), kind: 'Blueprint', metadata, actions }
}

/** On the Profile: it is what all of its repositories share, and no application waits for it. */
function pruneActionSet(schedule: Schedule, { path, profile, next }: PrunedRepository, blueprint: string): ActionSet {
  const { name, namespace, uid } = schedule.metadata
  const [ofProfile = '', profileName = ''] = profile.split('/')
  const which = createHash('sha256').update([uid, profile, path].join('\n')).digest('hex').slice(0, 8)
  const tail = `prune-${which}-${Math.floor(Date.parse(next) / 1000).toString(36)}`
  const { group, version, plural } = profileKind
  const reference = { name: profileName, namespace: ofProfile }
  return {
    apiVersion: apiVersionOf(actionSetKind),
    kind: 'ActionSet',
    // The server fills in the rest.
    metadata: {
      name: `${name.replaceAll('.', '-').slice(0, 62 - tail.length)}-${tail}`,
      namespace,
      labels: { [names.retention]: name },
      annotations: {
        [names.prunedRepository]: path,
        [fieldAnnotations.ttlAfterFinished]: '24h',
        // Whatever else waits is more urgent.
        [fieldAnnotations.priority]: '-200',
      },
    } as unknown as ActionSet['metadata'],
    spec: {
      actions: [
        {
          name: 'prune',
          blueprint,
          object: { apiVersion: version, group, resource: plural, ...reference },
          profile: reference,
          options: { repository: path },
        },
      ],
    },
  }
}
