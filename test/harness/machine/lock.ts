import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { say } from './steps.ts'

/**
 * Runs `work` while no other process of this machine holds the lock `file`.
 *
 * The lock is the kernel's, held by a `flock` child that lives as long as its stdin is open: when this process ends in
 * any way, also by SIGKILL, the pipe closes, the child ends and the lock is free. No stale lock files to judge.
 */
export async function withLock<T>(file: string, what: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true })
  const holder = spawn('flock', ['--exclusive', file, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Not in our process group: Ctrl-C must not free the lock before our own cleanup ends.
    detached: true,
  })
  const ended = once(holder, 'close')
  const notice = setTimeout(() => say(`waiting for another process that is ${what}`), 2000)
  try {
    await Promise.race([once(holder.stdout, 'data'), ended.then(() => Promise.reject(new Error(`cannot lock ${file}`)))])
  } finally {
    clearTimeout(notice)
  }
  try {
    return await work()
  } finally {
    holder.stdin.end()
    await ended
  }
}
