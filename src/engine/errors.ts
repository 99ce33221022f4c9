import { defineErrors } from '../base/errors.ts'

/** What can happen to a run as a whole, beside what its functions report. */
export const runError = defineErrors({
  RUN_INTERRUPTED: {
    next: 'stop',
    summary: 'The engine died while a phase ran whose function cannot be repeated safely; the phase counts as failed.',
  },
  RUN_FENCED: { next: 'stop', summary: 'Another worker owns the action; this attempt must not write any more.' },
  RUN_GONE: { next: 'stop', summary: 'The Run was deleted while its action ran.' },
  RUN_CANCELLED: { next: 'stop', summary: 'The ActionSet was cancelled or deleted.' },
  RUN_TIMEOUT: { next: 'stop', summary: 'A phase did not end within its deadline.' },
  RUN_QUEUE_TIMEOUT: { next: 'stop', summary: 'An ActionSet waited longer in the queue than it may.' },
  RUN_SHUTDOWN: { next: 'retry', summary: 'The worker is being stopped; another one goes on.' },
  RUN_JOURNAL_AWAY: { next: 'retry', summary: 'The journal could not be written for longer than the budget allows.' },
  RUN_TOO_LARGE: { next: 'stop', summary: 'Outputs or inputs of a run are larger than the API server can keep.' },
  RUN_BAD_OUTPUT: { next: 'stop', summary: 'A function reported something that is no JSON object.' },
  RUN_BAD_ARGS: { next: 'stop', summary: 'Arguments of a phase do not fit its function.' },
  RUN_BAD_REFERENCE: {
    next: 'stop',
    summary: 'An object reference of the ActionSet or Blueprint lacks something or points at nothing.',
  },
  RUN_BAD_PROFILE: { next: 'stop', summary: 'The Profile or its credential cannot be used.' },
  RUN_STUCK: { next: 'stop', summary: 'A function did not return after it was told to stop.' },
})
