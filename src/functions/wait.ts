import { object } from '../schema/build.ts'
import { defineFunction } from './define.ts'
import { builtInRules } from './rights.ts'
import { runWait } from './run-wait.ts'
import { checkWaitArgs, waitArgs, waitNotes } from './wait-args.ts'

export const wait = defineFunction({
  name: 'Wait',
  summary:
    'Waits for objects of the cluster. A condition holds JSONPaths in quotes, as `{{ eq "{ $.status.phase }" "Bound" }}`.',
  args: object(waitArgs),
  outputs: {},
  notes: [
    ...waitNotes,
    'A condition sees the object by its JSONPaths only; `timeout` and the fields of objectReference are templates as in every function.',
  ],
  rendersItself: true,
  rbac: builtInRules(['get']),
  resume: 'continue',
  checkArgs: checkWaitArgs,
  run: async (ctx, args) => await runWait(ctx, 'Wait', args),
})
