import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Makes a command of a Debian package available; installs the package where it is missing (needs root). */
export async function ensureCommand(command: string, packageName: string = command): Promise<void> {
  if (await isThere(command)) return
  // Debian's own lock makes two installers wait for each other.
  const apt = ['-o', 'DPkg::Lock::Timeout=300', '-qq']
  await run('apt-get', [...apt, 'update'])
  await run('apt-get', [...apt, 'install', '-y', '--no-install-recommends', packageName])
  if (!(await isThere(command))) throw new Error(`${command} could not be installed; install the package "${packageName}"`)
}

async function isThere(command: string): Promise<boolean> {
  try {
    await run('sh', ['-c', `command -v "$1"`, 'sh', command])
    return true
  } catch {
    return false
  }
}
