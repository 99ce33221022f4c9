import { randomInt } from 'node:crypto'
import type { ActionSet, ActionSpec } from '../../src/api/actionset.ts'
import type { BlueprintAction } from '../../src/api/blueprint.ts'
import type { Live } from '../../src/kube/objects.ts'
import { ownKinds } from '../../src/kube/own-kinds.ts'
import type { Stage } from './stage.ts'

export const workKinds = ['count', 'scale', 'push', 'stream'] as const
export type WorkKind = (typeof workKinds)[number]

/** An ActionSet of a round, named by what it writes everywhere. */
export interface Work {
  readonly id: string
  readonly kind: WorkKind
  readonly actionSet: Live<ActionSet>
}

const inApp = { namespace: '{{ .StatefulSet.Namespace }}', pod: 'app-0', container: 'main' }
const id = '{{ .Options.id }}'

/** Each action has a deferred phase that unlocks; what must happen once appends a line where it happens. */
export function actions(image: string): Record<string, BlueprintAction> {
  const exec = (name: string, script: string): object => ({
    func: 'KubeExec',
    name,
    args: { ...inApp, command: ['sh', '-c', script] },
  })
  const unlock = exec('unlock', `echo ${id} >>/data/unlocks`)
  const scale = (name: string, replicas: string): object => ({
    func: 'ScaleWorkload',
    name,
    args: { namespace: '{{ .StatefulSet.Namespace }}', name: 'scaled', kind: 'Deployment', replicas },
  })
  const push = `head -c 300000 /dev/zero | kando location push --profile '{{ toJson .Profile }}' --path pushed/${id} - && kando output path pushed/${id}`
  const kept = (phase: string, ...fields: string[]): object => ({
    kept: { keyValue: Object.fromEntries(fields.map((field) => [field, `{{ .Phases.${phase}.Output.${field} }}`])) },
  })
  const written = {
    count: {
      phases: [exec('first', `echo ${id} >>/data/first; sleep 1`), exec('second', `echo ${id} >>/data/second; sleep 0.5`)],
      deferPhase: unlock,
    },
    scale: {
      phases: [scale('down', '0'), scale('up', '{{ .Phases.down.Output.originalReplicaCount }}')],
      deferPhase: unlock,
    },
    push: {
      outputArtifacts: kept('push', 'path'),
      phases: [{ func: 'KubeTask', name: 'push', args: { image, namespace: inApp.namespace, command: ['sh', '-ec', push] } }],
      deferPhase: unlock,
    },
    stream: {
      outputArtifacts: kept('dump', 'snapshotID', 'sha256'),
      phases: [
        {
          func: 'BackupStream',
          name: 'dump',
          args: { ...inApp, command: ['sh', '-ec', `echo ${id}; head -c 20000000 /dev/urandom; sleep 1; echo end`] },
        },
      ],
      deferPhase: unlock,
    },
  }
  // Written as a user writes them.
  return written as unknown as Record<string, BlueprintAction>
}

export async function startWork({ kube, namespace }: Stage, round: number, kinds: readonly WorkKind[]): Promise<Work[]> {
  const all: Work[] = []
  for (const [index, kind] of kinds.entries()) {
    const name = `r${round}-${index}-${kind}-${randomInt(1e6)}`
    const spec: ActionSpec = {
      name: kind,
      blueprint: 'chaos',
      object: { kind: 'StatefulSet', name: 'app', namespace },
      profile: { name: 'profile', namespace },
      options: { id: name },
    }
    const actionSet = await kube.resource(ownKinds.actionSets).create({
      apiVersion: 'cr.kanister.io/v1alpha1',
      kind: 'ActionSet',
      metadata: { name, namespace },
      spec: { actions: [spec] },
    } as unknown as ActionSet)
    all.push({ id: name, kind, actionSet })
  }
  return all
}
