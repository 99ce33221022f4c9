import { expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { SharedReads } from '../../../src/kube/shared-reads.ts'

it('reads that are asked for while an equal one is under way are one, which begins after they were asked for', async () => {
  const reads = new SharedReads({ ...systemClock, sleep: () => new Promise(() => undefined) })
  const calls: PromiseWithResolvers<string>[] = []
  const read = (): Promise<string> => {
    const call = Promise.withResolvers<string>()
    calls.push(call)
    return call.promise
  }
  const first = reads.get('a', undefined, read)
  const others = [1, 2, 3].map(() => reads.get('a', undefined, read))
  const another = reads.get('b', undefined, read)
  expect(calls).toHaveLength(2)

  calls[1]?.resolve('of b')
  calls[0]?.resolve('old')
  expect([await first, await another]).toEqual(['old', 'of b'])
  await new Promise(setImmediate)
  expect(calls).toHaveLength(3)
  calls[2]?.resolve('new')

  expect(await Promise.all(others)).toEqual(['new', 'new', 'new'])
  void reads.get('a', undefined, read)
  expect(calls).toHaveLength(4)
})

it('one that hangs holds up nobody, and who gives up does not end it for the others', async () => {
  const reads = new SharedReads(systemClock)
  const hanging = new Promise<string>(() => undefined)
  void reads.get('a', undefined, () => hanging)
  const cancel = new AbortController()
  const left = reads.get('a', cancel.signal, () => Promise.resolve('there'))
  const stays = reads.get('a', undefined, () => Promise.resolve('never asked'))
  cancel.abort(new Error('enough'))

  await expect(left).rejects.toThrow('enough')
  expect(await stays).toBe('there')
})

it('a failure is told to all who shared it, and the next one asks anew', async () => {
  const reads = new SharedReads(systemClock)
  const fails = (): Promise<string> => Promise.reject(new Error('away'))
  const all = await Promise.allSettled([1, 2, 3].map(() => reads.get('a', undefined, fails)))

  expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  expect(await reads.get('a', undefined, () => Promise.resolve('back'))).toBe('back')
})
