import { defineErrors } from '../base/errors.ts'

export const queueError = defineErrors({
  QUEUE_UNAVAILABLE: { next: 'retry', summary: 'Redis cannot be reached or does not answer; work goes on, new jobs wait.' },
})
