import { execFile } from 'node:child_process'
import { link, lstat, mkdir, rm, symlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import { splitDeviceNumber } from '../device-number.ts'
import type { TreeNode } from '../format/node.ts'

const run = promisify(execFile)

/**
 * Makes way for an entry: what is there and of another kind goes. A link that stands in the place of a directory is never followed, or a restore could be led
 * out of its target.
 */
export async function makeRoom(path: Buffer, wanted: 'directory' | 'other'): Promise<void> {
  const stat = await lstat(path).catch(ignoreMissing)
  if (stat?.isDirectory() && wanted === 'directory') return
  if (stat) await rm(path, { recursive: true, force: true })
  if (wanted === 'directory') await mkdir(path, { mode: 0o700 })
}

/** Everything but files and directories. False for a socket, which only its program can make. */
export async function makeEntry(node: TreeNode, path: Buffer, linkOf: Buffer | undefined): Promise<boolean> {
  if (node.type === 'socket') return false
  await makeRoom(path, 'other')
  if (linkOf) await link(linkOf, path)
  else if (node.type === 'symlink') await symlink(node.linkTarget ?? Buffer.alloc(0), path)
  else await makeSpecial(node, path)
  return true
}

/** Node cannot make these; every system has a command for it. A path that is not UTF-8 cannot be given to one. */
async function makeSpecial(node: TreeNode, path: Buffer): Promise<void> {
  const text = path.toString()
  if (node.type === 'fifo') await run('mkfifo', [text])
  else if (node.device !== undefined) {
    const { deviceMajor, deviceMinor } = splitDeviceNumber(node.device)
    await run('mknod', [text, node.type === 'chardev' ? 'c' : 'b', String(deviceMajor), String(deviceMinor)])
  }
}

function ignoreMissing(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
  throw error
}
