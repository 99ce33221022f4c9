import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

export interface ProcessCost {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakMiB: number
  readonly stdout: string
}

const ticksPerSecond = 100

/** Runs a program to its end and says what it cost, looking at /proc as it goes. Input and output may be files. */
export async function measureProcess(
  command: string,
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>
    readonly inputFile?: string
    readonly discardOutput?: boolean
  } = {},
): Promise<ProcessCost> {
  const input = options.inputFile === undefined ? 'ignore' : openSync(options.inputFile, 'r')
  const start = performance.now()
  const child = spawn(command, args, {
    env: { ...process.env, ...options.env },
    stdio: [input, options.discardOutput ? 'ignore' : 'pipe', 'inherit'],
  })
  let stdout = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  const seen = { cpuSeconds: 0, peakMiB: 0 }
  const timer = setInterval(() => look(child.pid ?? 0, seen), 20)
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  clearInterval(timer)
  if (typeof input === 'number') closeSync(input)
  if (code !== 0) throw new Error(`${command} ended with code ${code}`)
  return { seconds: (performance.now() - start) / 1000, ...seen, stdout }
}

function look(pid: number, seen: { cpuSeconds: number; peakMiB: number }): void {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
    seen.cpuSeconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    if (peak) seen.peakMiB = Math.max(seen.peakMiB, Number(peak) / 1024)
  } catch {
    // It ended between two looks.
  }
}
