import { execFileSync } from 'node:child_process'
import { ensureCommand } from './debian-package.ts'

/** The real restic of Debian, against which what we write is proven. */
export async function ensureRestic(): Promise<void> {
  await ensureCommand('restic')
}

export interface ResticRepository {
  /** A folder or a URL such as s3:http://host/bucket/prefix. */
  readonly at: string
  readonly password: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs restic and gives its output; fails with what it said. */
export function restic(
  repository: ResticRepository,
  args: readonly string[],
  options: { readonly input?: Uint8Array; readonly cwd?: string } = {},
): Buffer {
  return execFileSync('restic', ['-r', repository.at, '--no-cache', ...args], {
    env: { ...process.env, ...repository.env, RESTIC_PASSWORD: repository.password },
    maxBuffer: 1 << 30,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...options,
  })
}
