import type { Command } from 'commander'
import { toRfc3339 } from '../../../base/clock.ts'
import { formatBytes } from '../../../base/bytes.ts'
import { type Backup, readBackups, sizeOf } from '../../../recovery/read-backups.ts'
import { readProofs, type KnownProof } from '../../../recovery/read-proofs.ts'
import { renderTable } from '../../table.ts'
import { placeCommand, print, withPlace } from './backup-command.ts'
import type { BackupDeps, PlaceFlags } from './deps.ts'
import { provenCell, shownProof, type ShownProof } from './proven.ts'

interface ListFlags extends PlaceFlags {
  readonly appNamespace?: string
}

export function listCommand(deps: BackupDeps): Command {
  return placeCommand('list', 'List backups by application and time. Without a key, what their headers say.')
    .option('--app-namespace <name>', 'only those of applications in this namespace')
    .action((flags: ListFlags) =>
      withPlace(deps, flags, async ({ place }) => {
        const rows: ListedBackup[] = []
        const selection = flags.appNamespace === undefined ? {} : { namespace: flags.appNamespace }
        const proofs = await readProofs(place, { signal: deps.signal, ...selection })
        for await (const backup of readBackups(place, { signal: deps.signal, ...selection }))
          rows.push(listedBackup(backup, proofs.get(backup.id)))
        const locked = rows.filter((row) => row.locked).length
        if (locked > 0)
          deps.output.err(
            `${locked} of ${rows.length} records are sealed by a key that was not given; sizes and Blueprints are in them.\n`,
          )
        for (const { key, problem, locked: isLocked } of rows)
          if (problem !== undefined && !isLocked) deps.output.err(`Warning: ${key}: ${problem}\n`)
        const now = deps.clock.now()
        print(
          deps,
          flags,
          rows,
          rows.length === 0 ? 'no backups\n' : renderTable([head, ...rows.map((row) => rowOf(row, now))]),
        )
      }),
    )
}

const head = ['APPLICATION', 'STARTED', 'NAME', 'ACTION', 'SIZE', 'BLUEPRINT', 'ENGINE', 'PROVEN', 'STATE']

interface ListedBackup {
  readonly key: string
  readonly id: string
  readonly application: string
  readonly startedAt: string
  readonly name?: string
  readonly action?: string
  readonly sizeBytes?: number
  readonly blueprint?: string
  readonly engineVersion?: string
  readonly installation?: string
  readonly cluster?: string
  readonly schedule?: string
  /** How the newest test restore went; absent when there was none. */
  readonly proof?: ShownProof
  readonly problem?: string
  readonly locked: boolean
}

function listedBackup(
  { key, id, namespace, kind, name, startedAt, header, record, problem }: Backup,
  proof: KnownProof | undefined,
): ListedBackup {
  const sizeBytes = record && sizeOf(record)
  return {
    key,
    id,
    application: `${namespace}/${kind}/${name}`,
    startedAt: toRfc3339(startedAt),
    locked: problem?.locked === true,
    ...(header && {
      name: header.actionSet.name,
      action: header.action,
      engineVersion: header.engineVersion,
      ...(header.installation.cluster && { cluster: header.installation.cluster }),
    }),
    ...(header && { installation: header.installation.id }),
    ...(header?.schedule === undefined ? {} : { schedule: header.schedule }),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(record && { blueprint: record.blueprint.name }),
    ...(proof && { proof: shownProof(proof) }),
    ...(problem && { problem: problem.message }),
  }
}

function rowOf(backup: ListedBackup, now: number): string[] {
  const size = backup.sizeBytes === undefined ? '-' : formatBytes(backup.sizeBytes)
  const state = backup.locked ? 'sealed' : backup.problem === undefined ? 'ok' : 'unreadable'
  return [
    backup.application,
    backup.startedAt,
    backup.name ?? backup.id,
    backup.action ?? '-',
    size,
    backup.blueprint ?? '-',
    backup.engineVersion ?? '-',
    provenCell(backup.proof, now),
    state,
  ]
}
