import { expect, test } from 'vitest'
import { jobId, type Job, type JobAdder, type JobConsumer, type JobSource } from '../../src/queue/queue.ts'
import { waitFor } from '../harness/world/wait-for.ts'

export interface QueueUnderTest {
  readonly adder: JobAdder
  readonly source: JobSource
}

/** What every queue promises. `open` gives one that is empty. */
export function jobQueueConformance(open: () => Promise<QueueUnderTest>): void {
  const job = (actionIndex = 0, dispatch = 1): Job => ({ namespace: 'ns', runName: 'run-u', actionIndex, dispatch })

  async function using(
    work: (
      queue: QueueUnderTest,
      take: (handler: (job: Job) => Promise<void>, concurrency?: number) => JobConsumer,
    ) => Promise<void>,
  ): Promise<void> {
    const queue = await open()
    try {
      await work(queue, (handler, concurrency = 4) => queue.source.take(handler, { concurrency }))
    } finally {
      await queue.source.close()
      await queue.adder.close()
    }
  }

  test('a job that is added reaches a consumer as it was', async () => {
    await using(async ({ adder }, take) => {
      const taken: Job[] = []
      take(async (each) => void taken.push(each))

      await adder.add(jobId('u', 3, 2), job(3, 2))

      await waitFor('the job', () => taken.length === 1)
      expect(taken).toEqual([job(3, 2)])
    })
  })

  test('a job waits until somebody takes jobs', async () => {
    await using(async ({ adder }, take) => {
      const taken: Job[] = []
      await adder.add(jobId('u', 0, 1), job())

      take(async (each) => void taken.push(each))

      await waitFor('the job', () => taken.length === 1)
    })
  })

  test('the same id again, waiting or in work, is no second job', async () => {
    await using(async ({ adder }, take) => {
      const taken: string[] = []
      let release = (): void => undefined
      const held = new Promise<void>((resolve) => (release = resolve))
      await adder.add(jobId('u', 0, 1), job())
      await adder.add(jobId('u', 0, 1), job())
      take(async (each) => {
        taken.push(`${each.actionIndex}`)
        if (each.actionIndex === 0) await held
      }, 1)
      await waitFor('the first job', () => taken.length === 1)

      await adder.add(jobId('u', 0, 1), job())
      await adder.add(jobId('u', 1, 1), job(1))
      release()

      await waitFor('the last job', () => taken.includes('1'))
      expect(taken).toEqual(['0', '1'])
    })
  })

  test('an id can be used again after its job has ended, also when its handler failed', async () => {
    await using(async ({ adder }, take) => {
      let times = 0
      take(async () => {
        times++
        throw new Error('no')
      })
      await adder.add(jobId('u', 0, 1), job())
      await waitFor('the first time', () => times === 1)

      await waitFor('the second time', async () => {
        await adder.add(jobId('u', 0, 1), job())
        return times >= 2
      })
    })
  })

  test('no more than the concurrency are in work, and all get their turn', async () => {
    await using(async ({ adder }, take) => {
      let inWork = 0
      let most = 0
      let done = 0
      take(async () => {
        most = Math.max(most, ++inWork)
        // All wait for the third, so that it is not left to their pace whether three ever meet.
        await waitFor('three in work', () => most >= 3)
        await new Promise((resolve) => setTimeout(resolve, 5))
        inWork--
        done++
      }, 3)

      for (let index = 0; index < 12; index++) await adder.add(jobId('u', index, 1), job(index))

      await waitFor('all jobs', () => done === 12)
      expect(most).toBe(3)
    })
  })

  test('the more urgent is taken first', async () => {
    await using(async ({ adder }, take) => {
      const taken: number[] = []
      await adder.add(jobId('u', 9, 1), job(9), { priority: 10 })
      await adder.add(jobId('u', 1, 1), job(1), { priority: 1 })

      take(async (each) => void taken.push(each.actionIndex), 1)

      await waitFor('both jobs', () => taken.length === 2)
      expect(taken).toEqual([1, 9])
    })
  })

  test('a consumer that was stopped takes nothing more and waits for what it has in work', async () => {
    await using(async ({ adder }, take) => {
      const taken: number[] = []
      let ended = false
      const consumer = take(async (each) => {
        taken.push(each.actionIndex)
        await new Promise((resolve) => setTimeout(resolve, 50))
        ended = true
      }, 1)
      await adder.add(jobId('u', 0, 1), job(0))
      await waitFor('the job', () => taken.length === 1)

      await consumer.stop(5_000)
      await adder.add(jobId('u', 1, 1), job(1))

      expect(ended).toBe(true)
      expect(taken).toEqual([0])
    })
  })
}
