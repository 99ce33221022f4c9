import { object } from '../schema/build.ts'
import { defineFunction } from './define.ts'
import { builtInRules } from './rights.ts'
import { runWait } from './run-wait.ts'
import { checkWaitArgs, waitArgs, waitNotes } from './wait-args.ts'

export const waitV2 = defineFunction({
  name: 'WaitV2',
  summary:
    'Waits for objects of the cluster. A condition is a Go template over the object, as `{{ eq .status.phase "Bound" }}`.',
  args: object(waitArgs),
  outputs: {},
  notes: [
    ...waitNotes,
    'A condition knows the functions of `kubectl -o go-template`: those of Go, `exists` and `base64decode`. A field that is not there is no error.',
    '`timeout` is a template; in Kanister it is plain text.',
  ],
  rendersItself: true,
  rbac: builtInRules(['get']),
  resume: 'continue',
  checkArgs: checkWaitArgs,
  run: async (ctx, args) => await runWait(ctx, 'WaitV2', args),
})
