import { flag, optional, text, withDefault } from '../schema/build.ts'

/** Arguments of every function that works on a repository named by a prefix. */
export const repositoryArgs = {
  backupArtifactPrefix: text(
    'Where the repository is: a path below the bucket. The bucket itself may stand before it. The prefix of the Profile is not applied, as in Kanister.',
  ),
  encryptionKey: optional(
    text(
      'Password of the repository, used as it is. Without it a random one is made, kept in a Secret; on repositories of Kanister its public default is tried.',
      { secret: true },
    ),
  ),
  insecureTLS: withDefault(optional(flag("Accept any certificate of the store's endpoint.")), false),
} as const

/** Arguments of the functions that keep streams. */
export const streamRepositoryArgs = {
  repository: optional(
    text(
      "Path of the repository below the Profile's prefix. Default: one for each application namespace, `holdfast/<namespace>`.",
    ),
  ),
  encryptionKey: optional(
    text('Password of the repository, used as it is. Without it a random one is made and kept in a Secret.', { secret: true }),
  ),
} as const

/** The container that a command is run in. */
export const containerArgs = {
  namespace: text('Namespace of the pod.'),
  pod: text('Name of the pod.'),
  container: withDefault(
    optional(text('Name of the container; by default the one the pod declares as its default, else its first.')),
    '',
  ),
} as const
