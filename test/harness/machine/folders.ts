import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where the harness keeps things on this machine. None of it is in the checkout, so any checkout can take over. */
export interface Folders {
  /** Which of the machine's test clusters; each has its own state, addresses and processes. */
  readonly name: string
  /** All that one cluster needs while it lives, and nothing that outlives it. */
  readonly state: string
  /** Built programs and images, shared by all clusters, named by what they were made from. */
  readonly cache: string
}

/**
 * `HOLDFAST_CLUSTER` names the cluster (default `cluster`); the folders follow XDG_STATE_HOME and XDG_CACHE_HOME.
 * The name is part of network and cgroup names, hence short and plain.
 */
export function harnessFolders(env: NodeJS.ProcessEnv = process.env): Folders {
  const name = env['HOLDFAST_CLUSTER'] || 'cluster'
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(name)) {
    throw new Error(`HOLDFAST_CLUSTER is ${JSON.stringify(name)}: use up to 20 small letters, digits and dashes`)
  }
  const home = homedir()
  const stateHome = env['XDG_STATE_HOME'] || join(home, '.local', 'state')
  const cacheHome = env['XDG_CACHE_HOME'] || join(home, '.cache')
  return { name, state: join(stateHome, 'holdfast', name), cache: join(cacheHome, 'holdfast') }
}

/** The environment of a cluster beside the one that this environment names, for a test that destroys its own. */
export function spareCluster(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return { ...env, HOLDFAST_CLUSTER: `${harnessFolders(env).name.slice(0, 14)}-spare` }
}
