import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { deleteData } from '../../../src/functions/delete-data.ts'
import { deleteStream } from '../../../src/functions/delete-stream.ts'
import { pruneRepository } from '../../../src/functions/prune-repository.ts'
import { runFunction } from '../../build/function-context.ts'
import { aProfile, useLocalDataWorld } from './data-world.ts'

const world = useLocalDataWorld()
const size = 3_000_000

/** A repository of two streams, of which one is removed by its delete action; gives what that said. */
async function lost(): Promise<string> {
  const ids: string[] = []
  {
    const { signal } = new AbortController()
    const request = { profile: aProfile, namespace: 'app', create: true, signal }
    await using repository = await world().context().ctx.repositories.openForNamespace(request)
    for (const filename of ['gone', 'stays']) {
      const stream = async function* (): AsyncGenerator<Uint8Array> {
        yield randomBytes(size)
      }
      ids.push((await repository.backupStream({ stream: stream(), filename })).snapshotId)
    }
  }
  const said = await runFunction(deleteStream, world().context().ctx, { namespace: 'app', snapshotID: ids[0] })
  return String(said?.['unpruned'])
}

test('a removal says where its space still is, and two runs give it back: one marks, one removes', async () => {
  const backupArtifactPrefix = await lost()
  expect(backupArtifactPrefix).toBe('b/p/holdfast/app')
  const before = await stored()

  const first = await runFunction(pruneRepository, world().context().ctx, { backupArtifactPrefix, grace: '0s' })
  expect(first).toMatchObject({ freedBytes: '0', spaceFreed: '0 B' })
  expect(Number(first?.['waitingBytes'])).toBeGreaterThan(size)
  expect(await stored()).toBeGreaterThan(before - 1000)

  const second = await runFunction(pruneRepository, world().context().ctx, { backupArtifactPrefix, grace: '0s' })
  expect(second).toMatchObject({ waitingBytes: '0' })
  expect(Number(second?.['freedBytes'])).toBeGreaterThan(size)
  expect(await stored()).toBeLessThan(before - size)
})

test('before the grace is over nothing is removed', async () => {
  const backupArtifactPrefix = await lost()
  await runFunction(pruneRepository, world().context().ctx, { backupArtifactPrefix })

  const second = await runFunction(pruneRepository, world().context().ctx, { backupArtifactPrefix })

  expect(second).toMatchObject({ freedBytes: '0' })
  expect(Number(second?.['waitingBytes'])).toBeGreaterThan(size)
})

test('the locks of a prune that was killed go before the next attempt begins', async () => {
  const backupArtifactPrefix = await lost()
  const dead = new Error('killed')
  const first = world().context({ onCheckpoint: () => Promise.reject(dead) })
  await expect(runFunction(pruneRepository, first.ctx, { backupArtifactPrefix })).rejects.toThrow('killed')

  const again = world().context({ resumed: first.checkpoints.at(-1) })
  await runFunction(pruneRepository, again.ctx, { backupArtifactPrefix })

  const locks = await Array.fromAsync(world().bucket.list('p/holdfast/app/locks/'))
  expect(locks).toEqual([])
})

test('a removal that gave the space back itself names no repository', async () => {
  await lost()
  const args = { namespace: 'app', backupArtifactPrefix: 'b/p/holdfast/app', backupTag: 'none' }
  const { ctx } = world().context()

  expect(await runFunction(deleteData, ctx, args)).toHaveProperty('unpruned', 'b/p/holdfast/app')
  expect(await runFunction(deleteData, ctx, { ...args, reclaimSpace: true })).not.toHaveProperty('unpruned')
})

async function stored(): Promise<number> {
  let bytes = 0
  for await (const { sizeBytes } of world().bucket.list('p/holdfast/app/data/')) bytes += sizeBytes
  return bytes
}
