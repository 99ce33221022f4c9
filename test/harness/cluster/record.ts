import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NodeSetup } from './programs.ts'

/** What a running node was started with, kept in its state folder for whoever takes over. Readable by root only. */
export interface ClusterRecord extends NodeSetup {
  /** Another version's cluster is not taken over. */
  readonly version: string
}

export function findClusterRecord(state: string): ClusterRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordFile(state), 'utf8')) as ClusterRecord
  } catch {
    // None, or half a one that a crash left before it was complete: either way there is nothing to take over.
    return undefined
  }
}

export async function writeClusterRecord(record: ClusterRecord): Promise<void> {
  const file = recordFile(record.state)
  await writeFile(`${file}.new`, JSON.stringify(record, null, 2), { mode: 0o600 })
  await rename(`${file}.new`, file)
}

function recordFile(state: string): string {
  return join(state, 'cluster.json')
}
