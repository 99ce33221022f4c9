import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import type { Folders } from './folders.ts'
import { hasProgram, run } from './command.ts'
import { withLock } from './lock.ts'
import { step } from './steps.ts'
import { join } from 'node:path'

/** Debian packages by purpose, each with the program or file that shows it is there (however it came). */
export const packages = {
  cluster: {
    'etcd-server': 'etcd',
    containerd: 'containerd',
    runc: 'runc',
    'containernetworking-plugins': '/usr/lib/cni/ptp',
    nftables: 'nft',
    conntrack: 'conntrack',
    iproute2: 'ip',
    openssl: 'openssl',
    'redis-server': 'redis-server',
  },
  images: { debootstrap: 'debootstrap', buildah: 'buildah' },
  tests: { restic: 'restic' },
} as const

/** Installs what is missing. The package lists are fetched only when the install fails with those at hand. */
export async function ensurePackages(folders: Folders, wanted: Readonly<Record<string, string>>): Promise<void> {
  if ((await missing(wanted)).length === 0) return
  await withLock(join(folders.cache, 'locks', 'apt'), 'installing Debian packages', async () => {
    const names = await missing(wanted)
    if (names.length === 0) return
    if (process.getuid?.() !== 0) throw new Error(`install ${names.join(', ')} first, or run this as root on Debian`)
    await step(`installing ${names.join(', ')}`, () => withoutServiceStarts(() => install(names)))
  })
}

async function install(names: readonly string[]): Promise<void> {
  const args = ['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '-qq', '--no-install-recommends', ...names]
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  try {
    await run('apt-get', args, { env })
  } catch {
    await run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', 'update', '-qq'], { env })
    await run('apt-get', args, { env })
  }
}

/** etcd, containerd and Redis come with system services; ours are started by the harness, the system's stay down. */
async function withoutServiceStarts(work: () => Promise<void>): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return work()
  await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await work()
  } finally {
    await rm(policy, { force: true })
  }
}

async function missing(wanted: Readonly<Record<string, string>>): Promise<string[]> {
  const names: string[] = []
  for (const [name, sign] of Object.entries(wanted)) {
    const there = sign.startsWith('/') ? existsSync(sign) : await hasProgram(sign)
    if (!there) names.push(name)
  }
  return names
}
