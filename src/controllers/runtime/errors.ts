import { defineErrors } from '../../base/errors.ts'

export const controllerError = defineErrors({
  CONTROLLER_NAMESPACE_TAKEN: {
    next: 'stop',
    summary: 'A Kanister controller runs in a watched namespace; two engines must not act on the same ActionSets.',
  },
})
