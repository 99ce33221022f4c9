import { defineErrors } from '../../base/errors.ts'

export const controllerError = defineErrors({
  CONTROLLER_NAMESPACE_TAKEN: {
    next: 'stop',
    summary: 'A Kanister controller runs in a watched namespace; two engines must not act on the same ActionSets.',
  },
  CONTROLLER_FOREIGN_BACKUP: {
    next: 'stop',
    summary: 'An action would remove an imported backup that belongs to another installation; a takeover comes first.',
  },
})
