import { defineErrors } from '../base/errors.ts'

/** What can be wrong with a record in the catalog. */
export const catalogError = defineErrors({
  CATALOG_BAD_RECORD: { next: 'stop', summary: 'An object where records are is not a record, or lacks something.' },
  CATALOG_NEWER_RECORD: {
    next: 'stop',
    summary: 'A record was written by a newer engine in a form that this one does not know.',
  },
})
