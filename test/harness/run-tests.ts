import { downCluster, findCluster } from './cluster/cluster.ts'
import { harnessFolders, spareCluster } from './machine/folders.ts'
import { say, step } from './machine/steps.ts'
import { prepareWorld } from './world/prepare.ts'
import { runProject, type TestCounts } from './vitest-project.ts'

/**
 * `npm test`: everything, on a machine that has nothing prepared. The last line is `N passed, N failed`; the exit code is
 * 0 only when tests ran and none failed. A cluster that ran before goes on running; one started here is stopped.
 */
async function main(): Promise<number> {
  const folders = harnessFolders()
  const ranBefore = findCluster(folders) !== undefined
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => stop.abort(new Error(`got ${signal}`)))

  const counts: TestCounts[] = []
  let aborted = false
  try {
    counts.push(await step('unit tests', () => runProject('unit', stop.signal)))
    await step('preparing the world', () => prepareWorld())
    for (const project of ['live', 'e2e']) {
      stop.signal.throwIfAborted()
      counts.push(await step(`${project} tests`, () => runProject(project, stop.signal)))
    }
  } catch (error) {
    aborted = true
    say(`the tests did not run to their end: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  } finally {
    // Of a test that was killed in the middle of its own end.
    await downCluster(harnessFolders(spareCluster()))
    if (!ranBefore) await downCluster(folders)
  }

  const passed = counts.reduce((sum, count) => sum + count.passed, 0)
  // What could not be run counts as one failure more.
  const failed = counts.reduce((sum, count) => sum + count.failed, aborted ? 1 : 0)
  // Once more at the end, where whoever has only the tail of the log finds them.
  for (const test of counts.flatMap((count) => count.unsteady)) say(`UNSTEADY, passed at the second try: ${test}`)
  for (const failure of counts.flatMap((count) => count.failures)) say(`FAILED ${failure}`)
  process.stdout.write(`${passed} passed, ${failed} failed\n`)
  return failed === 0 && passed > 0 ? 0 : 1
}

process.exitCode = await main()
