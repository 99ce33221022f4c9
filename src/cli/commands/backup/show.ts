import type { Command } from 'commander'
import { stringify } from 'yaml'
import { formatBytes } from '../../../base/bytes.ts'
import { findBackup } from '../../../recovery/find-backup.ts'
import { type Backup, sizeOf } from '../../../recovery/read-backups.ts'
import { placeCommand, print, withPlace } from './backup-command.ts'
import type { BackupDeps, PlaceFlags } from './deps.ts'

interface ShowFlags extends PlaceFlags {
  readonly manifests?: boolean
}

export function showCommand(deps: BackupDeps): Command {
  return placeCommand('show', 'Show one backup. Outputs may hold passwords: they are shown to whoever has the key.')
    .argument('<name>', 'name or id of a backup, or namespace/kind/name for the newest of an object')
    .option('--manifests', 'print only the manifests of the application, as YAML')
    .action((name: string, flags: ShowFlags) =>
      withPlace(deps, flags, async ({ place }) => {
        const backup = await findBackup(place, name, { signal: deps.signal })
        const { key, header, record, problem } = backup
        if (flags.manifests) {
          deps.output.out((record?.manifests ?? []).map((manifest) => `---\n${stringify(manifest)}`).join(''))
          return
        }
        print(deps, flags, { key, ...(record ?? header), ...(problem && { problem }) }, textOf(backup))
      }),
    )
}

function textOf({ key, header, record, problem }: Backup): string {
  if (!header) return `Record: ${key}\nProblem: ${problem?.message ?? ''}\n`
  const size = record && sizeOf(record)
  const lines = {
    Backup: header.actionSet.name,
    Id: header.id,
    Of: `${header.object.kind ?? ''} ${header.object.namespace ?? ''}/${header.object.name ?? ''}`.trim(),
    Action: record ? `${header.action} of Blueprint ${record.blueprint.name}` : header.action,
    Time: `${header.startedAt} to ${header.finishedAt}`,
    ...(header.schedule === undefined ? {} : { Schedule: header.schedule }),
    Written: `by Holdfast ${header.engineVersion}, installation ${header.installation.id}, cluster ${header.installation.cluster ?? 'unknown'}`,
    Location: `${header.profile.location.bucket}/${header.profile.location.prefix} at ${header.profile.location.endpoint || "the cloud's own endpoint"}`,
    Record: key,
    ...(size === undefined ? {} : { Size: formatBytes(size) }),
    ...(record?.images ? { Images: record.images.join(', ') } : {}),
    ...(record?.manifests ? { Manifests: record.manifests.map(nameOf).join(', ') } : {}),
    ...(record?.omitted ? { 'Left out': record.omitted.join('; ') } : {}),
    ...(problem ? { Problem: problem.message } : {}),
  }
  const head = Object.entries(lines).map(([name, value]) => `${`${name}:`.padEnd(11)}${value}\n`)
  const artifacts =
    record && Object.keys(record.artifacts).length > 0
      ? `Artifacts:\n${stringify(record.artifacts).replaceAll(/^/gm, '  ').trimEnd()}\n`
      : ''
  return head.join('') + artifacts
}

function nameOf(manifest: Readonly<Record<string, unknown>>): string {
  return `${String(manifest['kind'])} ${(manifest['metadata'] as { readonly name?: string } | undefined)?.name ?? ''}`
}
