import { object, optional, text } from '../schema/build.ts'
import { storeError } from '../store/errors.ts'
import type { FunctionContext } from './context.ts'
import { type DataRepositoryArgs, openDataRepository } from './data-repository.ts'
import { defineFunction } from './define.ts'
import { functionError } from './errors.ts'
import { functionVersion } from './function-version.ts'
import { podArgs } from './pod-args.ts'
import { repositoryArgs } from './repository-args.ts'
import { repositoryRules } from './rights.ts'

export const checkRepository = defineFunction({
  name: 'CheckRepository',
  summary: 'Says whether the repository of BackupData is there and opens, and if not, why.',
  args: object({
    namespace: optional(text('Taken for symmetry with the other functions; no pod is made.')),
    image: optional(text('Taken for the sake of existing Blueprints: no pod is made.')),
    ...repositoryArgs,
    ...podArgs,
  }),
  outputs: {
    passwordIncorrect: '`true` if no key that is known opens it, else `false`.',
    repoUnavailable: '`true` if there is none, or it cannot be reached, else `false`.',
    reason: '`ok`, `absent`, `wrongKey`, `noBucket`, `denied` or `unreachable`.',
    version: 'Version of the function.',
  },
  notes: [
    'The work is done by the engine, in no pod: the arguments of pods are taken and have no effect.',
    'A store that refuses the credentials or does not answer counts as unavailable, as with Kanister; `reason` tells them apart.',
    'A repository that is damaged where it is read is a failure of the phase.',
  ],
  rbac: repositoryRules,
  resume: 'restart',
  async run(ctx, args) {
    const reason = await probe(ctx, args)
    return {
      passwordIncorrect: String(reason === 'wrongKey'),
      repoUnavailable: String(reason !== 'ok' && reason !== 'wrongKey'),
      reason,
      version: functionVersion,
    }
  },
})

type Reason = 'ok' | 'absent' | 'wrongKey' | 'noBucket' | 'denied' | 'unreachable'

async function probe(ctx: FunctionContext, args: Omit<DataRepositoryArgs, 'create'>): Promise<Reason> {
  try {
    await using repository = await openDataRepository(ctx, { ...args, create: false })
    await repository.snapshots({ signal: ctx.signal })
    return 'ok'
  } catch (error) {
    const reason = reasonOf(error)
    if (reason === undefined || ctx.signal.aborted) throw error
    ctx.log.info({ reason }, 'Repository cannot be used')
    return reason
  }
}

function reasonOf(error: unknown): Reason | undefined {
  if (functionError.is(error, 'FUNCTION_NO_REPOSITORY')) return 'absent'
  if (functionError.is(error, 'FUNCTION_NO_KEY')) return 'wrongKey'
  if (storeError.is(error, 'STORE_NO_BUCKET')) return 'noBucket'
  if (storeError.is(error, 'STORE_DENIED')) return 'denied'
  const away = ['STORE_UNREACHABLE', 'STORE_UNAVAILABLE', 'STORE_THROTTLED', 'STORE_UNTRUSTED'] as const
  return storeError.is(error, ...away) ? 'unreachable' : undefined
}
