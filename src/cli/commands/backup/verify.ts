import type { Command } from 'commander'
import { formatBytes } from '../../../base/bytes.ts'
import { lightened, readBackups } from '../../../recovery/read-backups.ts'
import { getBackup } from '../../../recovery/find-backup.ts'
import { verifyBackups } from '../../../recovery/verify-backups.ts'
import { cliError } from '../../errors.ts'
import { ProgressBar } from '../../progress-bar.ts'
import { placeCommand, print, withPlace } from './backup-command.ts'
import type { BackupDeps, PlaceFlags } from './deps.ts'

interface VerifyFlags extends PlaceFlags {
  readonly all?: boolean
  readonly readData?: boolean
}

export function verifyCommand(deps: BackupDeps): Command {
  return placeCommand(
    'verify',
    'Find every kind of damage to backups: removed, truncated, altered, swapped, rolled back. Touches no application.',
    '3 something is wrong',
  )
    .argument('[name]', 'name or id of a backup, or namespace/kind/name for the newest of an object')
    .option('--all', 'all backups of the place')
    .option('--read-data', 'read every byte of the data')
    .action((name: string | undefined, flags: VerifyFlags) =>
      withPlace(deps, flags, async ({ place }) => {
        if ((name === undefined) === (flags.all !== true))
          throw cliError('CLI_USAGE', 'give either the name of a backup or --all')
        const all = await Array.fromAsync(readBackups(place, { signal: deps.signal }), lightened)
        const chosen = name === undefined ? all : [await getBackup(place, name, { signal: deps.signal })]
        const bar = new ProgressBar(deps.output, deps.clock)
        const report = await verifyBackups(place, all, chosen, {
          readData: flags.readData === true,
          signal: deps.signal,
          onProgress: (note, doneBytes) => bar.update({ doneBytes, note }),
        }).finally(() => bar.end())
        const damaged = report.findings.some(({ level }) => level === 'damage')
        const lines = report.findings.map(
          ({ level, about, message }) => `${level === 'damage' ? 'DAMAGE' : 'warning'}  ${about}: ${message}\n`,
        )
        const depth = flags.readData ? `${formatBytes(report.bytesRead)} read` : 'data not read (--read-data)'
        const verdict = damaged ? 'something is wrong' : 'no damage found'
        print(
          deps,
          flags,
          report,
          `${lines.join('')}${report.sound} of ${report.backups} backups sound, ${report.repositories} repositories, ${depth}: ${verdict}\n`,
        )
        if (damaged) deps.finish(3)
      }),
    )
}
