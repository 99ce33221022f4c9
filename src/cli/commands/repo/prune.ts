import type { Command } from 'commander'
import { formatBytes } from '../../../base/bytes.ts'
import type { RepoDeps, RepoFlags } from './deps.ts'
import { printResult, repoCommand, withRepo } from './repo-command.ts'
import { parseDuration, parsePercent } from './snapshot-flags.ts'

interface PruneFlags {
  readonly now?: boolean
  readonly grace: string
  readonly maxUnused: number
  readonly wait: string
}

const help = `
Without --now, in two steps, beside running backups: what no snapshot needs is marked; a later run removes what was marked for longer than the grace, when
nobody who was at work then is at work still. Run it now and then. With --now everything goes at once, and everybody else waits meanwhile.`

export function pruneCommand(deps: RepoDeps): Command {
  return repoCommand('prune', 'Give back the space of what no snapshot needs.')
    .option('--now', 'alone and at once')
    .option('--grace <duration>', 'how long what was marked stays', '1h')
    .option('--max-unused <percent>', 'unneeded bytes that may stay beside needed ones', parsePercent, 5)
    .option('--wait <duration>', 'how long to wait for locks of others', '0s')
    .addHelpText('after', help)
    .action((flags: RepoFlags & PruneFlags) =>
      withRepo(deps, flags, async ({ repository, lease }, { bar, onWarning }) => {
        const options = {
          maxUnusedPercent: flags.maxUnused,
          lockWaitMs: parseDuration(flags.wait),
          signal: deps.signal,
          onWarning,
          onProgress: ({ step, packs }: { readonly step: string; readonly packs: number }) =>
            bar.update({ doneBytes: 0, note: `${step}: ${packs} packs` }),
        }
        if (flags.now) {
          const result = await repository.prune(options)
          const text = `${result.packsDeleted} packs removed, ${result.packsRewritten} written anew as ${result.packsWritten}; ${formatBytes(result.bytesFreed)} given back, ${formatBytes(result.bytesUnused)} of waste stay\n`
          return printResult(deps, flags, result, text)
        }
        const result = await repository.pruneInSteps({
          ...options,
          graceMs: parseDuration(flags.grace),
          ...(lease && { lease }),
        })
        const { swept, waiting, bytesUnused } = result
        const text = `${swept.packsDeleted} packs removed, ${formatBytes(swept.bytesFreed)} given back, ${swept.packsKept} came to be needed; ${waiting.packs} packs (${formatBytes(waiting.bytes)}) are marked for a later run, ${formatBytes(bytesUnused)} of waste stay\n`
        printResult(deps, flags, result, text)
      }),
    )
}
