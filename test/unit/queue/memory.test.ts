import { describe } from 'vitest'
import { MemoryQueue } from '../../../src/queue/memory.ts'
import { jobQueueConformance } from '../../conformance/job-queue.ts'

describe('the queue in memory', () => {
  jobQueueConformance(async () => {
    const queue = new MemoryQueue()
    return { adder: queue, source: queue }
  })
})
