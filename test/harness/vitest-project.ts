import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface TestCounts {
  readonly passed: number
  readonly failed: number
  /** Each failure in a few lines, for the end of a long log. */
  readonly failures: readonly string[]
  /** What passed at its second try only, and how the first ended. */
  readonly unsteady: readonly string[]
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
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly {
      readonly status: string
      readonly fullName: string
      readonly failureMessages?: readonly string[] | null
    }[]
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

/** What a report and the exit code of its vitest say together. Pure. */
export function countsOf(report: Report | undefined, code: number): TestCounts {
  const passed = report?.numPassedTests ?? 0
  const failedTests = report?.numFailedTests ?? 0
  // A file that cannot be loaded, or whose hooks fail, has no failed test in it.
  const failedFiles = (report?.testResults ?? []).filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  ).length
  const failed = failedTests + failedFiles
  const files = report?.testResults ?? []
  const unsteady = files.flatMap((file) =>
    testsOf(file, 'passed')
      .filter(({ failureMessages }) => failureMessages?.length)
      .map((test) => told(file, test)),
  )
  const failures = files.flatMap(failuresOf)
  // An unhandled error or a failed setup fails no test, but vitest.
  if (failed === 0 && code !== 0) {
    const failure = `vitest ended with exit code ${code} and names no failed test; see its report above`
    return { passed, failed: 1, failures: [failure], unsteady }
  }
  return { passed, failed, failures, unsteady }
}

type FileReport = Report['testResults'][number]
type TestReport = FileReport['assertionResults'][number]

function failuresOf(file: FileReport): string[] {
  if (file.status !== 'failed') return []
  const tests = testsOf(file, 'failed')
  return tests.length > 0 ? tests.map((test) => told(file, test)) : [`${file.name}: ${firstLines(file.message)}`]
}

const testsOf = (file: FileReport, status: string): TestReport[] =>
  file.assertionResults.filter((test) => test.status === status)

const told = (file: FileReport, test: TestReport): string =>
  `${file.name}: ${test.fullName}: ${firstLines(test.failureMessages?.[0])}`

const firstLines = (message: string | undefined): string => (message ?? 'no message').split('\n').slice(0, 6).join('\n    ')
