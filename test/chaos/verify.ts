import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { names } from '../../src/api/names.ts'
import { runName, type Run, type RunAction } from '../../src/api/run.ts'
import { kinds } from '../../src/kube/kinds.ts'
import { ownKinds } from '../../src/kube/own-kinds.ts'
import { listKeys } from '../harness/world/bucket.ts'
import { withS3 } from '../harness/world/fixtures.ts'
import { shellIn } from '../harness/world/objects.ts'
import { waitFor } from '../harness/world/wait-for.ts'
import type { KillKind } from './kills.ts'
import type { Stage } from './stage.ts'
import type { Work } from './workload.ts'

/** How an ActionSet of a round ended. */
export interface Ended {
  readonly work: Work
  readonly run: Run
  readonly action: RunAction
  readonly state: string
}

/** Waits until nothing is left to do, and gives what is wrong with what did not come to its end. */
export async function waitForEnd(stage: Stage, work: readonly Work[], timeoutMs: number): Promise<Ended[]> {
  const runs = stage.kube.resource(ownKinds.runs)
  const actionSets = stage.kube.resource(ownKinds.actionSets)
  return await Promise.all(
    work.map(async (each) => {
      const { name, namespace, uid } = each.actionSet.metadata
      return await waitFor(
        `the end of ${name}`,
        async () => {
          const run = await runs.find({ namespace: namespace ?? '', name: runName(uid) })
          const { status } = await actionSets.get({ namespace: namespace ?? '', name })
          const state = status?.state ?? ''
          const over = run?.metadata.labels?.[names.unfinished] === 'false' && (state === 'complete' || state === 'failed')
          return over && state === run.status.state
            ? { work: each, run, action: run.status.actions['0'] as RunAction, state }
            : false
        },
        { timeoutMs, intervalMs: 300 },
      )
    }),
  )
}

/** Compares what the journal says with the real files, objects and bucket. */
export async function verify(stage: Stage, ended: readonly Ended[], killed: readonly KillKind[]): Promise<string[]> {
  const keys = await withS3(stage.world.s3, (client) => listKeys(client, stage.bucket))
  const lines = await waitFor('the files of the application', () => readLines(stage), { timeoutMs: 90_000 })
  const found = ended.flatMap((each) => verifyOne(each, lines, keys, mayFail(killed)))
  return [...found, ...(await leftovers(stage, ended))]
}

/** The commands in a pod go with it: what was told of it is a correct end. */
function mayFail(killed: readonly KillKind[]): boolean {
  return killed.includes('application pod')
}

type Lines = ReadonlyMap<string, ReadonlyMap<string, number>>

async function readLines({ world, namespace }: Stage): Promise<Lines> {
  const files = ['first', 'second', 'unlocks']
  const entries = files.map(async (file): Promise<[string, Map<string, number>]> => {
    const text = await shellIn(world, namespace, 'app-0', `cat /data/${file} 2>/dev/null || true`)
    const counts = new Map<string, number>()
    for (const line of text.split('\n').filter(Boolean)) counts.set(line, (counts.get(line) ?? 0) + 1)
    return [file, counts]
  })
  return new Map(await Promise.all(entries))
}

function verifyOne({ work, run, action, state }: Ended, lines: Lines, keys: readonly string[], excused: boolean): string[] {
  const { id, kind } = work
  const count = (file: string): number => lines.get(file)?.get(id) ?? 0
  const stateOf = (name: string): string | undefined => action.phases.find((phase) => phase.name === name)?.state
  const interrupted = action.error?.code === 'RUN_INTERRUPTED'
  const wrong: string[] = []
  const check = (holds: boolean, what: string): void => void (holds || wrong.push(`${id}: ${what}`))
  check(state === 'complete' || excused || interrupted, `failed: ${action.error?.code} ${action.error?.message}`)
  check(action.launched === true, 'never launched')
  const unlocked = action.deferPhase?.state === 'complete'
  check(unlocked || excused || interrupted, `deferred phase is ${action.deferPhase?.state}`)
  check(count('unlocks') === 1 || (!unlocked && count('unlocks') <= 1), `unlocked ${count('unlocks')} times`)
  if (kind === 'count') {
    for (const phase of ['first', 'second']) {
      check(count(phase) <= 1, `phase ${phase} happened ${count(phase)} times`)
      check(
        stateOf(phase) !== 'complete' || count(phase) === 1,
        `phase ${phase} is complete but happened ${count(phase)} times`,
      )
    }
  }
  if (kind === 'push' || kind === 'stream') verifyData({ work, run, action, state }, keys, check)
  return wrong
}

function verifyData(
  { work, run, action, state }: Ended,
  keys: readonly string[],
  check: (holds: boolean, what: string) => void,
): void {
  const kept = action.artifacts?.['kept']?.keyValue ?? {}
  const record = keys.find((key) => key.includes('records/') && key.includes(run.spec.actionSet.uid))
  const complete = state === 'complete'
  check(!complete || Object.keys(kept).length > 0, 'complete without artifacts')
  check(!complete || record !== undefined, 'complete without its record')
  check(complete || record === undefined, 'has a record although it failed')
  if (!complete) return
  if (work.kind === 'push') check(keys.includes(kept['path'] ?? '?'), `its object ${kept['path']} is not there`)
  else
    check(
      keys.some((key) => key.endsWith(`/snapshots/${kept['snapshotID']}`)),
      `its snapshot ${kept['snapshotID']} is not there`,
    )
}

/** Nothing of a round stays behind: pods of functions, unfinished uploads, a workload that is scaled down. */
async function leftovers({ kube, world, namespace, bucket }: Stage, ended: readonly Ended[]): Promise<string[]> {
  const uids = new Set(ended.map(({ run }) => run.spec.actionSet.uid))
  const pods = await kube.resource(kinds.pods).list({ namespace })
  const left = pods.items.filter(
    ({ metadata }) => uids.has(metadata.labels?.[names.actionSetUid] ?? '') && !metadata.deletionTimestamp,
  )
  const uploads = await withS3(world.s3, (client) => client.send(new ListMultipartUploadsCommand({ Bucket: bucket })))
  const scaled = await kube.resource(kinds.deployments).get({ namespace, name: 'scaled' })
  return [
    ...left.map(({ metadata }) => `pod ${metadata.name} was left`),
    ...(uploads.Uploads ?? []).map(({ Key }) => `upload of ${Key} was left unfinished`),
    ...(scaled.spec?.replicas === 2 ? [] : [`deployment scaled has ${scaled.spec?.replicas} replicas instead of 2`]),
  ]
}
