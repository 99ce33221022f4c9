import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The real restic of Debian, against which what we write is proven. Installed where it is missing (needs root). */
export async function ensureRestic(): Promise<void> {
  if (await isThere()) return
  // Debian's own lock makes two installers wait for each other.
  const apt = ['-o', 'DPkg::Lock::Timeout=300']
  await run('apt-get', [...apt, 'update', '-qq'])
  await run('apt-get', [...apt, 'install', '-y', '-qq', '--no-install-recommends', 'restic'])
  if (!(await isThere())) throw new Error('restic could not be installed; install the package "restic"')
}

export interface ResticRepository {
  /** A folder or a URL such as s3:http://host/bucket/prefix. */
  readonly at: string
  readonly password: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs restic and gives its output; fails with what it said. */
export function restic(repository: ResticRepository, args: readonly string[], input?: Uint8Array): Buffer {
  return execFileSync('restic', ['-r', repository.at, '--no-cache', ...args], {
    env: { ...process.env, ...repository.env, RESTIC_PASSWORD: repository.password },
    maxBuffer: 1 << 30,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(input && { input }),
  })
}

async function isThere(): Promise<boolean> {
  try {
    await run('restic', ['version'])
    return true
  } catch {
    return false
  }
}
