import { names } from '../../api/names.ts'
import type { ProtectedKind } from '../../api/schedule.ts'
import { withDeadline } from '../../base/deadline.ts'
import { orAborted } from '../../base/or-aborted.ts'
import type { Informer } from '../../kube/informer.ts'
import type { Kube } from '../../kube/kube.ts'
import { kinds } from '../../kube/kinds.ts'
import type { KubeObject, Live, ResourceDef } from '../../kube/objects.ts'
import type { Candidate } from './targets.ts'

/** What is kept of an object of the cluster: five thousand of them are a few MB. */
type Kept = KubeObject & { readonly spec?: { readonly replicas?: number } }

const collections: Readonly<Record<ProtectedKind, ResourceDef<Kept>>> = {
  StatefulSet: kinds.statefulSets as ResourceDef<Kept>,
  Deployment: kinds.deployments as ResourceDef<Kept>,
  PersistentVolumeClaim: kinds.persistentVolumeClaims as ResourceDef<Kept>,
  Namespace: kinds.namespaces as ResourceDef<Kept>,
}

/** A first list that does not come (no right to it, no such resource) must not hold up Schedules that need other kinds. */
const firstListMs = 5_000

export interface CandidatesOptions {
  readonly kube: Pick<Kube, 'informer'>
  readonly signal: AbortSignal
  /** Something appeared, went, or changed in what Schedules look at. */
  readonly onChange: () => void
  readonly onError: (error: unknown) => void
  /** @default 5_000 */
  readonly firstListMs?: number
}

/** The objects that Schedules can find by label, of the kinds that some Schedule asks for; others are not watched. */
export class Candidates {
  readonly #options: CandidatesOptions
  readonly #informers = new Map<ProtectedKind, Informer<Kept>>()

  constructor(options: CandidatesOptions) {
    this.#options = options
  }

  /** All of these kinds, when their first list is complete. DEADLINE_EXCEEDED when it does not come; it goes on being asked for. */
  async of(wanted: ReadonlySet<ProtectedKind>): Promise<Candidate[]> {
    const informers = [...wanted].map((kind) => [kind, this.#informer(kind)] as const)
    const lacking = informers.filter(([, informer]) => !informer.hasSynced)
    if (lacking.length > 0) {
      const what = `the first list of all ${lacking.map(([kind]) => kind).join(', ')} (see the log for what keeps it)`
      const lists = Promise.all(lacking.map(([, informer]) => informer.synced))
      const { signal: closed, firstListMs: ms = firstListMs } = this.#options
      await withDeadline(what, ms, closed, (signal) => orAborted(lists, signal))
    }
    return informers.flatMap(([kind, informer]) => informer.list().map((object) => candidateOf(kind, object)))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.close()))
  }

  #informer(kind: ProtectedKind): Informer<Kept> {
    const known = this.#informers.get(kind)
    if (known) return known
    const { kube, signal, onChange, onError } = this.#options
    const informer = kube.informer(collections[kind], { signal, onError, project: keep })
    this.#informers.set(kind, informer)
    informer.onChange((_key, after, before) => {
      if (!after || !before || said(candidateOf(kind, after)) !== said(candidateOf(kind, before))) onChange()
    })
    return informer
  }
}

function keep({ apiVersion, kind, metadata, spec }: Live<Kept>): Live<Kept> {
  const { name, namespace, uid, resourceVersion, creationTimestamp, labels, annotations } = metadata
  const blueprint = annotations?.[names.blueprint]
  const kept = {
    name,
    uid,
    resourceVersion,
    creationTimestamp,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labels ? { labels } : {}),
    ...(blueprint === undefined ? {} : { annotations: { [names.blueprint]: blueprint } }),
  }
  return {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    metadata: kept,
    ...(spec?.replicas === undefined ? {} : { spec: { replicas: spec.replicas } }),
  }
}

function candidateOf(kind: ProtectedKind, { metadata, spec }: Live<Kept>): Candidate {
  const blueprint = metadata.annotations?.[names.blueprint]
  return {
    kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    labels: metadata.labels ?? {},
    ...(blueprint === undefined ? {} : { blueprint }),
    ...(spec?.replicas === undefined ? {} : { replicas: spec.replicas }),
  }
}

function said({ labels, blueprint, replicas }: Candidate): string {
  return JSON.stringify([labels, blueprint, replicas])
}
