import type { Clock } from '../base/clock.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { RepositoryFiles } from './files.ts'
import type { RepositoryConfig } from './format/config-file.ts'
import type { Sealer } from './format/seal.ts'
import type { LoadedIndex } from './loaded-index.ts'

/** Who works, as locks and snapshots name it. */
export interface Identity {
  readonly hostname: string
  readonly username: string
  readonly pid: number
  /** Whether a process of this host is there. Decides if another one's lock still counts. */
  readonly isAlive: (pid: number) => boolean
}

/** An opened repository, as the operations see it. */
export interface RepositoryContext {
  readonly store: ObjectStore
  readonly config: RepositoryConfig
  readonly sealer: Sealer
  readonly files: RepositoryFiles
  readonly index: LoadedIndex
  readonly identity: Identity
  readonly clock: Clock
  /** How long an operation waits for locks of others that are in its way. */
  readonly lockWaitMs: number
  /** Sealing threads of a backup, opening threads of a restore. */
  readonly threads: { readonly seal: number; readonly open: number }
}
