import { hostname, userInfo } from 'node:os'
import type { Identity } from './context.ts'

/** This process. */
export function processIdentity(): Identity {
  return { hostname: hostname(), username: usernameOr('holdfast'), pid: process.pid, isAlive }
}

/** A container may run under a user id that has no name. */
function usernameOr(fallback: string): string {
  try {
    return userInfo().username
  } catch {
    return fallback
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Not allowed to signal it: it is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
