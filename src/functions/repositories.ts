import type { Repository } from '../repository/repository.ts'
import type { ResolvedProfile } from '../store/profile-json.ts'

/**
 * Opens the restic repositories that functions use, with the right keys (design: two key files each, a random working password kept in a
 * Secret and one derived from the recovery key). `main` makes one per process. Whoever opens a repository closes it: `await using`.
 */
export interface Repositories {
  /**
   * Kanister's BackupData layout: the repository is the resolved prefix below the bucket (1.13), not below the location's
   * prefix. `encryptionKey` is used verbatim; without one the working password of the repository is looked up, and on
   * existing repositories Kanister's public default key is tried.
   */
  openByPrefix(request: OpenByPrefix): Promise<OpenedRepository>
  /** BackupStream's layout: one repository per Profile and application namespace, below the location's prefix. */
  openForNamespace(request: OpenForNamespace): Promise<OpenedRepository>
}

/** A repository with its connections to the store. Closing ends those. */
export type OpenedRepository = Repository & AsyncDisposable

export interface OpenByPrefix {
  readonly profile: ResolvedProfile
  /** As given in the Blueprint; resolved by Kanister's rule (the bucket is put before unless it is there). */
  readonly backupArtifactPrefix: string
  readonly encryptionKey?: string
  /** Make the repository when there is none. */
  readonly create: boolean
  /** What somebody should hear of, such as a recovery key that only this cluster has. */
  readonly onWarning?: (warning: string) => void
  readonly signal: AbortSignal
}

export interface OpenForNamespace {
  readonly profile: ResolvedProfile
  readonly namespace: string
  /** Where an artifact names its repository: the path below the location's prefix. Overrides the default path. */
  readonly path?: string
  readonly encryptionKey?: string
  readonly create: boolean
  /** What somebody should hear of, such as a recovery key that only this cluster has. */
  readonly onWarning?: (warning: string) => void
  readonly signal: AbortSignal
}
