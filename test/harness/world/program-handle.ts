import { startProgram } from '../cluster/cluster.ts'
import type { ProgramName } from '../cluster/programs.ts'
import { isApiReady, isRedisReady, isS3Ready } from '../cluster/health.ts'
import type { ClusterRecord } from '../cluster/record.ts'
import { findProcess } from '../cluster/space.ts'
import { isAlive, signalProcess } from '../machine/processes.ts'
import { waitFor } from './wait-for.ts'

/** One server of the world, for tests that take it away. */
export interface ProgramHandle {
  /** Its pid on this machine while it runs. */
  readonly pid: number | undefined
  /** Sends the signal and, for SIGKILL and SIGTERM, waits until it is gone. False when it did not run. */
  kill(signal?: NodeJS.Signals): Promise<boolean>
  /** Starts it unless it runs, with the data it had, and waits until it answers. */
  start(): Promise<void>
}

export function programHandle(cluster: ClusterRecord, name: ProgramName): ProgramHandle {
  const find = () => findProcess(cluster.state, name)
  return {
    get pid() {
      const record = find()
      return isAlive(record) ? record.pid : undefined
    },
    async kill(signal = 'SIGKILL') {
      const record = find()
      const sent = signalProcess(record, signal)
      const ends = signal === 'SIGKILL' || signal === 'SIGTERM'
      if (sent && ends) await waitFor(`the end of ${name}`, () => !isAlive(record), { timeoutMs: 60_000 })
      return sent
    },
    async start() {
      await startProgram(cluster, name)
      const answers = ready[name]
      if (answers) await waitFor(`${name} to answer`, () => answers(cluster), { timeoutMs: 120_000 })
    },
  }
}

/** Those of which an answer shows that they work; the others are started when their process is. */
const ready: Partial<Record<ProgramName, (cluster: ClusterRecord) => Promise<boolean>>> = {
  s3: isS3Ready,
  redis: isRedisReady,
  'kube-apiserver': isApiReady,
}
