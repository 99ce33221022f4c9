import { randomUUID } from 'node:crypto'
import { formatBytes } from '../base/bytes.ts'
import type { PruneInStepsResult } from '../repository/prune-in-steps.ts'
import type { Repository } from '../repository/repository.ts'
import { fits } from '../schema/check.ts'
import { list, object, optional, text, withDefault } from '../schema/build.ts'
import type { FunctionContext } from './context.ts'
import { openDataRepository } from './data-repository.ts'
import { defineFunction } from './define.ts'
import { pruneLease } from './prune-lease.ts'
import { repositoryArgs } from './repository-args.ts'
import { repositoryRules } from './rights.ts'
import { parseTimeoutMs } from './timeout.ts'

/** Locks of prunes of this phase so far: one of a dead process would keep others waiting for its 30 minutes. */
const LockCheckpoint = object({ pruneLocks: list(text('Id of a lock.'), 'Every lock so far.') })

const lockWaitMs = 5 * 60_000

export const pruneRepository = defineFunction({
  name: 'PruneRepository',
  summary:
    'Gives back the space of removed snapshots, beside running backups: marks what nothing needs, removes what was marked before.',
  args: object({
    ...repositoryArgs,
    grace: withDefault(optional(text('How long what was marked stays before it is removed: a duration such as `90m`.')), '1h'),
  }),
  outputs: {
    spaceFreed: 'Bytes given back now, such as `2.861 MiB`.',
    freedBytes: 'The same as a number.',
    waitingBytes: 'Bytes that are marked and go with a later run; `0` when nothing is left to do.',
  },
  notes: [
    'Two steps, so it is to be run again after the grace as long as `waitingBytes` is not `0`. The retention of a Schedule does so by itself.',
    'Under a Lease of the repository: two that prune the same one go one after the other.',
    'Packs that an Object Lock keeps stay; a warning says so, and a later run takes them.',
  ],
  rbac: repositoryRules,
  resume: 'restart',
  async run(ctx, args) {
    await using repository = await openDataRepository(ctx, { ...args, create: false })
    const { swept, waiting } = await pruneBesideBackups(ctx, repository, parseTimeoutMs('grace', args.grace || '1h'))
    return {
      spaceFreed: formatBytes(swept.bytesFreed),
      freedBytes: String(swept.bytesFreed),
      waitingBytes: String(waiting.bytes),
    }
  },
})

async function pruneBesideBackups(ctx: FunctionContext, repository: Repository, graceMs: number): Promise<PruneInStepsResult> {
  const { signal, kube, engine, run } = ctx
  const left = fits(LockCheckpoint, ctx.resumed) ? ctx.resumed.pruneLocks : []
  for (const id of left) await repository.removeLock(id, { signal })
  const pruneLocks = [...left]
  const holder = `${run.actionSetUid}/${randomUUID()}`
  return repository.pruneInSteps({
    graceMs,
    lockWaitMs,
    signal,
    lease: pruneLease(kube, { namespace: engine.namespace, holder, id: repository.id }),
    onLock: async (id) => {
      pruneLocks.push(id)
      await ctx.checkpoint({ pruneLocks: [...pruneLocks] })
    },
    onWarning: (warning) => ctx.warn(warning),
  })
}
