import { formatBytes } from '../base/bytes.ts'
import { mapBounded } from '../base/semaphore.ts'
import { resolveArtifactPrefix } from './artifact-prefix.ts'
import { flag, optional, text, withDefault } from '../schema/build.ts'
import type { SnapshotQuery } from '../repository/snapshots.ts'
import type { FunctionContext } from './context.ts'
import { type DataRepositoryArgs, openDataRepository } from './data-repository.ts'
import { forgetSnapshot } from './forget-snapshot.ts'
import { podArgs } from './pod-args.ts'
import { reclaimer } from './reclaim-space.ts'
import { unpruned, unprunedOutput } from './unpruned.ts'

/** Arguments of the functions that remove data, beside which data. */
export const forgetArgs = {
  namespace: text('Namespace of the job pod in Kanister; nothing is made in it here.'),
  reclaimSpace: withDefault(optional(flag('Give the space back to the store too.')), false),
  image: optional(text('Taken for the sake of existing Blueprints: no pod is made.')),
  ...podArgs,
} as const

/** Said on the page of each of them. */
export const forgetNotes = [
  'The work is done by the engine, in no pod: the arguments of pods are taken and have no effect.',
  'A snapshot that is not in the repository is taken as deleted before.',
  '`reclaimSpace` prunes each repository once, after all of its snapshots are removed. If others use it for minutes, its space stays taken, and a warning says so.',
] as const

export const forgetOutputs = {
  spaceFreed: 'Bytes given back, such as `2.861 MiB`; `0 B` without reclaimSpace.',
  unpruned: unprunedOutput,
} as const

export interface DataSnapshot {
  readonly backupArtifactPrefix: string
  readonly query: SnapshotQuery
}

type ForgetArgs = Omit<DataRepositoryArgs, 'create' | 'backupArtifactPrefix'> & { readonly reclaimSpace?: boolean }

const repositoriesAtOnce = 4

/** Removes snapshots, each repository on its own, and says what was given back, as Kanister's output does. */
export async function forgetData(
  ctx: FunctionContext,
  snapshots: readonly DataSnapshot[],
  args: ForgetArgs,
): Promise<{ readonly spaceFreed: string; readonly unpruned?: string }> {
  const places = Map.groupBy(snapshots, ({ backupArtifactPrefix }) => backupArtifactPrefix)
  const reclaim = reclaimer(ctx)
  const freed = await mapBounded(
    places,
    repositoriesAtOnce,
    async ([backupArtifactPrefix, here], signal) => {
      const own = { ...ctx, signal }
      await using repository = await openDataRepository(own, { ...args, backupArtifactPrefix, create: false })
      for (const { query } of here) await forgetSnapshot(own, repository, query)
      const bytes = args.reclaimSpace ? await reclaim(repository, signal) : undefined
      return { place: resolveArtifactPrefix(ctx.profile().location.bucket, backupArtifactPrefix), bytes }
    },
    ctx.signal,
  )
  const left = freed.flatMap(({ place, bytes }) => (bytes === undefined ? [place] : []))
  return { spaceFreed: formatBytes(freed.reduce((sum, { bytes = 0 }) => sum + bytes, 0)), ...unpruned(left) }
}
