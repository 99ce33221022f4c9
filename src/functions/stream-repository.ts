import type { FunctionContext } from './context.ts'
import type { OpenedRepository } from './repositories.ts'

interface StreamRepositoryArgs {
  readonly namespace?: string | undefined
  readonly repository?: string | undefined
  readonly encryptionKey?: string | undefined
}

/** The default repository of an application namespace, below the Profile's prefix. */
export function namespaceRepositoryPath(namespace: string): string {
  return `holdfast/${namespace}`
}

/** Where the streams of these arguments are kept. An empty path is the default: a template may have rendered it from nothing. */
export function streamRepositoryPath({ repository, namespace = '' }: StreamRepositoryArgs): string {
  return repository || namespaceRepositoryPath(namespace)
}

export function openStreamRepository(
  ctx: Pick<FunctionContext, 'profile' | 'repositories' | 'signal' | 'warn'>,
  args: StreamRepositoryArgs & { readonly create: boolean },
): Promise<OpenedRepository> {
  return ctx.repositories.openForNamespace({
    profile: ctx.profile(),
    namespace: args.namespace ?? '',
    path: streamRepositoryPath(args),
    ...(args.encryptionKey === undefined ? {} : { encryptionKey: args.encryptionKey }),
    create: args.create,
    onWarning: (warning) => ctx.warn(warning),
    signal: ctx.signal,
  })
}
