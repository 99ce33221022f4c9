import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface TestCounts {
  readonly passed: number
  readonly failed: number
}

/** Runs one project of vitest.config.ts, showing its report on stderr, and counts. A project without tests counts 0 and 0. */
export async function runProject(project: string, signal: AbortSignal): Promise<TestCounts> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-tests-'))
  try {
    const report = join(folder, 'report.json')
    const code = await runVitest(project, report, signal)
    return countsOf(await readReport(report), code)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function runVitest(project: string, report: string, signal: AbortSignal): Promise<number> {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const args = [vitest, 'run', '--project', project, '--passWithNoTests', ...reporters]
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] })
  const stop = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    signal.throwIfAborted()
    return code ?? 1
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** The part of vitest's JSON report that counts. */
interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly {
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

async function readReport(file: string): Promise<Report | undefined> {
  try {
    // Written by the vitest of our lock file.
    return JSON.parse(await readFile(file, 'utf8')) as Report
  } catch {
    // Nothing ran, or vitest itself failed: its exit code says which.
    return undefined
  }
}

function countsOf(report: Report | undefined, code: number): TestCounts {
  const passed = report?.numPassedTests ?? 0
  const failedTests = report?.numFailedTests ?? 0
  // A file that cannot be loaded, or whose hooks fail, has no failed test in it.
  const failedFiles = (report?.testResults ?? []).filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  ).length
  const failed = failedTests + failedFiles
  // An unhandled error or a failed setup fails no test, but vitest.
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed }
}
