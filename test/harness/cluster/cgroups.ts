import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { waitFor } from '../world/wait-for.ts'

const mountPoint = '/sys/fs/cgroup'

/**
 * Makes the cgroup under which the kubelet keeps its pods. Each cluster has its own: two kubelets on one tree would
 * take each other's pods for orphans and kill them.
 */
export async function makeCgroups(name: string): Promise<void> {
  for (const root of cgroupRoots()) {
    await mkdir(join(root, name), { recursive: true })
    if (existsSync(join(root, 'cgroup.subtree_control'))) await delegate(root, name)
  }
}

/** Removes it with all below. Its processes are gone, but the kernel may need a moment to notice. */
export async function removeCgroups(name: string): Promise<void> {
  for (const root of cgroupRoots()) {
    const top = join(root, name)
    await waitFor(`the removal of ${top}`, () => removeTree(top), { timeoutMs: 60_000 })
  }
}

/** cgroup v2: a controller works in a folder only after each folder above handed it down. */
async function delegate(root: string, name: string): Promise<void> {
  const controllers = readFileSync(join(root, 'cgroup.controllers'), 'utf8').trim().split(/\s+/).filter(Boolean)
  for (const folder of [root, join(root, name)]) {
    for (const controller of controllers) {
      // Not every controller can be had in every place; the kubelet names the ones it misses.
      await writeFile(join(folder, 'cgroup.subtree_control'), `+${controller}`).catch(() => undefined)
    }
  }
}

/** The one tree of cgroup v2, or one per controller of v1. */
function cgroupRoots(): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n')
  const roots = new Set<string>()
  for (const line of mounts) {
    const [left = '', right = ''] = line.split(' - ')
    const target = left.split(' ')[4] ?? ''
    if (/^cgroup2? /.test(right) && target.startsWith(mountPoint)) roots.add(target)
  }
  return [...roots]
}

async function removeTree(folder: string): Promise<boolean> {
  if (!existsSync(folder)) return true
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory() && !(await removeTree(join(folder, entry.name)))) return false
  }
  return rmdir(folder).then(
    () => true,
    () => !existsSync(folder),
  )
}
