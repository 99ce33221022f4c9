import { flag, optional, text, withDefault } from '../schema/build.ts'
import type { FunctionContext } from './context.ts'
import { functionError } from './errors.ts'
import { wordsOf } from './words.ts'

/** Arguments of the functions that work on several pods. */
export const severalPodsArgs = {
  pods: withDefault(
    optional(text('Names of pods, separated by blanks. Default: those of the object acted on that ran when the action began.')),
    '',
  ),
  allowEmpty: withDefault(
    optional(flag('Succeed, doing nothing, when there are no pods; otherwise that is a failure.')),
    false,
  ),
} as const

/** The pods that the arguments mean, each once. None is FUNCTION_BAD_ARGS unless that is allowed. */
export function podsOf(
  { params }: Pick<FunctionContext, 'params'>,
  args: { readonly pods?: string | undefined; readonly allowEmpty?: boolean | undefined },
): string[] {
  const named = wordsOf(args.pods)
  const workload = params.StatefulSet ?? params.Deployment ?? params.DeploymentConfig
  if (named.length === 0 && !workload) {
    throw functionError('FUNCTION_BAD_ARGS', 'Unsupported workload type: the object acted on has no pods; name them in `pods`')
  }
  const pods = named.length > 0 ? named : (workload?.Pods ?? [])
  if (pods.length > 0 || args.allowEmpty) return [...new Set(pods)]
  throw functionError(
    'FUNCTION_BAD_ARGS',
    `no pod of "${workload?.Namespace}/${workload?.Name}" was running when the action began; scale it up, name pods in \`pods\`, ` +
      'or set allowEmpty: true if doing nothing is right then',
  )
}
