import { systemClock } from '../base/clock.ts'
import { runKando } from '../cli/kando/program.ts'
import { openCommand } from './kando/command.ts'
import { createProcesses } from './kando/process/create-processes.ts'
import { openSource } from './kando/source.ts'
import { openOwnOutput, openTarget, whenWritten } from './kando/target.ts'
import { findText, readFolder } from './kando/text-files.ts'
import { openStoreWith } from './own-identity.ts'
import { version } from './version.ts'

/** `kando`, as containers and Blueprints call it. A signal ends an upload cleanly: its parts are taken back first. */
export async function main(words: readonly string[]): Promise<void> {
  const stopped = new AbortController()
  const processes = createProcesses()
  let exitCode: number | undefined
  for (const [name, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const) {
    process.on(name, () => {
      if (processes.taken(name)) return
      if (exitCode !== undefined) process.exit(code)
      exitCode = code
      stopped.abort(new Error(`ended by ${name}`))
    })
  }
  const code = await runKando(
    words,
    {
      output: {
        out: (text) => void process.stdout.write(text),
        err: (text) => void process.stderr.write(text),
        live: false,
      },
      openStore: openStoreWith(process.env),
      openSource,
      openTarget,
      openCommand,
      openOwnOutput,
      processes,
      findText,
      readFolder,
      clock: systemClock,
      signal: stopped.signal,
    },
    version,
  )
  await whenWritten(process.stdout)
  // Not only exitCode: a source that hangs would keep the process.
  process.exit(code === 0 ? 0 : (exitCode ?? code))
}
