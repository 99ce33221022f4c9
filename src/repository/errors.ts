import { defineErrors } from '../base/errors.ts'

/** What can go wrong with a repository. Failures of the store itself pass through with their own codes (STORE_…). */
export const repositoryError = defineErrors({
  REPOSITORY_NOT_FOUND: { next: 'stop', exit: 10, summary: 'There is no repository at the location.' },
  REPOSITORY_EXISTS: { next: 'stop', summary: 'There is a repository, or the remains of one, at the location already.' },
  REPOSITORY_WRONG_KEY: { next: 'stop', exit: 12, summary: 'None of the passwords given opens the repository.' },
  REPOSITORY_DAMAGED: {
    next: 'stop',
    summary: 'Stored bytes are not what was written: a tag, a hash or a length does not fit.',
  },
  REPOSITORY_UNSUPPORTED: { next: 'stop', summary: 'The repository uses something this version cannot read.' },
  REPOSITORY_LOCKED: { next: 'wait', exit: 11, summary: 'Another process holds a lock that excludes this operation.' },
  REPOSITORY_LOCK_LOST: { next: 'retry', summary: 'The own lock could not be refreshed in time, so the work was given up.' },
  REPOSITORY_SNAPSHOT_NOT_FOUND: { next: 'stop', summary: 'No snapshot has the id or the tag asked for.' },
  REPOSITORY_SNAPSHOT_AMBIGUOUS: { next: 'stop', summary: 'The beginning of an id given fits several snapshots.' },
  REPOSITORY_PATH_NOT_FOUND: {
    next: 'stop',
    summary: 'A snapshot does not hold the path asked for, or it is not of the kind asked for.',
  },
  REPOSITORY_EMPTY_STREAM: { next: 'stop', summary: 'The stream to back up ended without a single byte.' },
  REPOSITORY_BAD_TAR: { next: 'stop', summary: 'The tar stream to back up is malformed or ends early.' },
  REPOSITORY_BAD_ARGUMENT: { next: 'stop', summary: 'A path, name or key given to the repository cannot be used.' },
  REPOSITORY_ENGINE_FAILED: { next: 'retry', summary: 'A thread of the engine stopped unexpectedly.' },
})
