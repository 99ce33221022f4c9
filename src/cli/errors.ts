import { defineErrors } from '../base/errors.ts'

/** Failures of a command line, each with its exit code. */
export const cliError = defineErrors({
  CLI_USAGE: { next: 'stop', exit: 2, summary: 'The flags given cannot be used as they are.' },
  CLI_NOT_FOUND: { next: 'stop', exit: 1, summary: 'An object that a flag names does not exist.' },
  CLI_PROCESS_SERVER: { next: 'stop', exit: 1, summary: 'The server of kando process refused, or cannot be reached.' },
  CLI_PARENT: { next: 'stop', exit: 1, summary: 'The parent ActionSet cannot be used: it is missing, unfinished or failed.' },
  CLI_ACTIONSET_FAILED: { next: 'stop', exit: 3, summary: 'The ActionSet that was waited for ended as failed.' },
  CLI_WAIT_TIMEOUT: {
    next: 'wait',
    exit: 4,
    summary: 'The ActionSet had not ended when the time to wait was over; it goes on.',
  },
})
