import { defineErrors } from '../base/errors.ts'

/** What can go wrong in a phase function. Messages name the function's object, the fact and the way out; never a secret. */
export const functionError = defineErrors({
  FUNCTION_UNKNOWN: { next: 'stop', summary: 'A Blueprint names a phase function that does not exist.' },
  FUNCTION_REMOVED: { next: 'stop', summary: 'A Blueprint names a phase function that is no longer, or not yet, to be had.' },
  FUNCTION_BAD_VERSION: { next: 'stop', summary: 'preferredVersion is not a version.' },
  FUNCTION_BAD_ARGS: { next: 'stop', summary: 'Arguments of a phase contradict each other or name what is not there.' },
  FUNCTION_BAD_OVERRIDE: { next: 'stop', summary: 'A podOverride cannot be merged into the pod.' },
  FUNCTION_NO_PROFILE: { next: 'stop', summary: 'The function needs a Profile and the action names none.' },
  FUNCTION_NAME_TAKEN: { next: 'stop', summary: 'An object of the derived name exists and is not of this phase.' },
  FUNCTION_POD_NOT_READY: { next: 'stop', summary: 'A pod of the engine did not start.' },
  FUNCTION_POD_FAILED: { next: 'stop', summary: 'A pod of the engine ended with an error.' },
  FUNCTION_POD_LOST: { next: 'stop', summary: 'A pod of the engine vanished before its result was read.' },
  FUNCTION_COMMAND_FAILED: { next: 'stop', summary: 'A command in a container ended with an error.' },
  FUNCTION_BAD_MARKER: { next: 'stop', summary: 'A command printed an output marker that cannot be read.' },
  FUNCTION_TAR_FAILED: { next: 'stop', summary: 'tar in the application or the job pod failed or lost files.' },
  FUNCTION_NO_SNAPSHOT: { next: 'stop', summary: 'The repository holds no such snapshot.' },
  FUNCTION_STREAM_EMPTY: { next: 'stop', summary: 'A command whose output is the backup printed nothing, or too little.' },
  FUNCTION_STREAM_DIFFERS: { next: 'stop', summary: 'What was restored is not what was backed up.' },
  FUNCTION_WAIT_TIMEOUT: { next: 'stop', summary: 'What a phase waits for did not come in its time.' },
  FUNCTION_INTERRUPTED: { next: 'stop', summary: 'The engine died while a command ran that may not be run twice.' },
  FUNCTION_NO_REPOSITORY: { next: 'stop', summary: 'There is no repository at the place named.' },
  FUNCTION_NO_KEY: { next: 'stop', summary: 'No key that is known opens the repository.' },
})
