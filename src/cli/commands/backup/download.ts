import type { Command } from 'commander'
import { formatBytes } from '../../../base/bytes.ts'
import { locateData } from '../../../recovery/data-sources.ts'
import { chooseSource, describeSource, downloadFiles, downloadStream } from '../../../recovery/download.ts'
import { getBackup } from '../../../recovery/find-backup.ts'
import { OpenedRepositories } from '../../../recovery/open-repositories.ts'
import { cliError } from '../../errors.ts'
import { ProgressBar } from '../../progress-bar.ts'
import { placeCommand, print, withPlace } from './backup-command.ts'
import type { BackupDeps, PlaceFlags } from './deps.ts'

interface DownloadFlags extends PlaceFlags {
  readonly to?: string
  readonly artifact?: string
  readonly phase?: string
  readonly list?: boolean
}

const example = `
Example, on a machine that has nothing but bucket and key:
  export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…
  holdfast backup download backup-x7k2q --location s3:https://s3.example.com/backups --recovery-key-file recovery.key --to db.dump`

export function downloadCommand(deps: BackupDeps): Command {
  return placeCommand('download', 'Get the dump or the files of a backup, with bucket and key alone. No cluster is needed.')
    .argument('<name>', 'name or id of a backup, or namespace/kind/name for the newest of an object')
    .option('--to <file or folder>', 'a file for a dump or an object, a folder for files; - is stdout')
    .option('--artifact <name>', 'which part, where there are several: the artifact that names it')
    .option('--phase <name>', 'or the phase that made it')
    .option('--list', 'show the parts and get nothing')
    .addHelpText('after', example)
    .action((name: string, flags: DownloadFlags) =>
      withPlace(deps, flags, async ({ place }) => {
        const { signal } = deps
        const { record } = await getBackup(place, name, { signal })
        const opened = new OpenedRepositories(place)
        const { sources, missing } = await locateData(place, record, signal, opened)
        if (flags.list) {
          for (const message of missing) deps.output.err(`Warning: ${message}\n`)
          print(deps, flags, sources, sources.map((source) => `${describeSource(source)}\n`).join(''))
          return
        }
        const source = chooseSource(sources, missing, flags)
        if (flags.to === undefined)
          throw cliError('CLI_USAGE', `give --to with a ${source.kind === 'files' ? 'folder' : 'file, or - for stdout'}`)
        const bar = new ProgressBar(deps.output, deps.clock)
        const total = source.sizeBytes === undefined ? {} : { totalBytes: source.sizeBytes }
        const onWarning = (warning: string): void => {
          bar.end()
          deps.output.err(`Warning: ${warning}\n`)
        }
        const onProgress = (doneBytes: number): void => bar.update({ doneBytes, ...total })
        try {
          if (source.kind === 'files') {
            if (flags.to === '-') throw cliError('CLI_USAGE', 'files go into a folder: give --to with its name')
            const done = await downloadFiles(opened, source, flags.to, { signal, onWarning, onProgress })
            bar.end()
            print(
              deps,
              flags,
              { ...source, ...done, folder: flags.to },
              `${done.entries} entries, ${formatBytes(done.sizeBytes)}, in ${flags.to}\n`,
            )
            return
          }
          const stream = counted(downloadStream(place, opened, source, { signal, onWarning }), onProgress)
          if (flags.to === '-') for await (const bytes of stream) await deps.write(bytes)
          else {
            const sizeBytes = await deps.saveFile(flags.to, stream)
            bar.end()
            const checked = source.kind === 'object' || source.sha256 !== undefined ? ', its hash as when it was backed up' : ''
            print(deps, flags, { ...source, sizeBytes, file: flags.to }, `${formatBytes(sizeBytes)} in ${flags.to}${checked}\n`)
          }
        } finally {
          bar.end()
        }
      }),
    )
}

async function* counted(stream: AsyncIterable<Uint8Array>, onProgress: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let doneBytes = 0
  for await (const bytes of stream) {
    yield bytes
    doneBytes += bytes.length
    onProgress(doneBytes)
  }
}
