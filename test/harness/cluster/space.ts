import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { copyFile, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, systemEnvironment } from '../machine/command.ts'
import { bootId, findRecord, isAlive, type ProcessRecord, signalProcess } from '../machine/processes.ts'
import { removeCgroups } from './cgroups.ts'
import { waitFor } from '../world/wait-for.ts'

/**
 * The node's own network, mount and pid namespaces. Everything of a cluster runs in them, so it meets nothing of the
 * machine (ports, routes, mounts, nftables), and all of it ends with the first process in there.
 */
export interface Space {
  /** The first process; its pid as the machine counts it. */
  readonly init: ProcessRecord
}

export function findSpace(state: string): Space | undefined {
  const init = findProcess(state, 'node')
  return isAlive(init) ? { init } : undefined
}

export async function openSpace(state: string, pause: string): Promise<Space> {
  for (const folder of ['run', 'logs']) await mkdir(join(state, folder), { recursive: true })
  await writeFile(join(state, 'run', 'boot'), bootId())
  // This shell records itself, then becomes `unshare`, which stays as the parent of the node's first process and takes
  // it along when it is killed.
  const script = 'read -r stat </proc/self/stat; echo "$stat" >"$0/run/unshare"; exec unshare "$@" >>"$0/logs/node.log" 2>&1'
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child']
  detach('sh', ['-c', script, state, ...namespaces, '--', ...(await ownScript(state, 'node.sh')), state, pause])
  return waitFor(`the node's namespaces (see ${state}/logs/node.log)`, () => findSpace(state), { timeoutMs: 60_000 })
}

export interface NodeProgram {
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Starts a program in the space and returns when it has recorded itself. It outlives this process, and knows nothing of
 * this process's environment (proxies, credentials, KUBECONFIG).
 */
export async function startInSpace(state: string, space: Space, spec: NodeProgram): Promise<ProcessRecord> {
  const enter = ['-t', String(space.init.pid), '-n', '-m', '-p', '--', 'setsid', '--fork']
  const launch = [...(await ownScript(state, 'launch.sh')), state, spec.name, spec.program, ...spec.args]
  const before = findProcess(state, spec.name)
  await run('nsenter', [...enter, ...launch], { env: { ...spec.env }, inherit: 'path' })
  return waitFor(
    `the start of ${spec.name}`,
    () => {
      const now = findProcess(state, spec.name)
      return now && now.pid !== before?.pid ? now : undefined
    },
    { timeoutMs: 60_000 },
  )
}

/** The record of a program of the space, running or not. */
export function findProcess(state: string, name: string): ProcessRecord | undefined {
  return isOfThisBoot(state) ? findRecord(join(state, 'run', name)) : undefined
}

/** Ends everything in the space, and waits until it is gone: the first process goes last. */
export async function closeSpace(state: string, cgroup: string): Promise<void> {
  const init = findProcess(state, 'node')
  const parent = findProcess(state, 'unshare')
  signalProcess(init, 'SIGKILL')
  signalProcess(parent, 'SIGKILL')
  await waitFor('the end of the node', () => !isAlive(init) && !isAlive(parent), { timeoutMs: 90_000 })
  await removeCgroups(cgroup)
}

/** After a restart of the machine the records name nothing, or by bad luck a process of somebody else. */
function isOfThisBoot(state: string): boolean {
  try {
    return readFileSync(join(state, 'run', 'boot'), 'utf8') === bootId()
  } catch {
    // Nothing was started in this folder.
    return false
  }
}

/** Copied first: the checkout may lie where the node has another folder mounted. */
async function ownScript(state: string, name: string): Promise<string[]> {
  const file = join(state, 'run', name)
  // Renamed into place: another start may be reading the old one.
  const fresh = `${file}.${process.pid}`
  await copyFile(new URL(`./${name}`, import.meta.url), fresh)
  await rename(fresh, file)
  return ['sh', file]
}

function detach(program: string, args: readonly string[]): void {
  spawn(program, args, { detached: true, stdio: 'ignore', env: systemEnvironment(), cwd: '/' }).unref()
}
