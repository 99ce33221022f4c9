import { defineErrors } from '../base/errors.ts'

/** What can be wrong with a record in the catalog. */
export const catalogError = defineErrors({
  CATALOG_BAD_RECORD: { next: 'stop', summary: 'An object where records are is not a record, or lacks something.' },
  CATALOG_SEALED: { next: 'stop', summary: 'A record is sealed, and the recovery key that opens it was not given.' },
  CATALOG_ALTERED: {
    next: 'stop',
    summary: 'A record or link was changed after it was written, or put in another one’s place.',
  },
  CATALOG_NEWER_RECORD: {
    next: 'stop',
    summary: 'A record was written by a newer engine in a form that this one does not know.',
  },
})
