import type { Command } from 'commander'
import { stringify } from 'yaml'
import { kindOrResource } from '../../../api/object-reference.ts'
import { formatBytes } from '../../../base/bytes.ts'
import type { BackupRecord } from '../../../catalog/record.ts'
import { findBackup, getBackup } from '../../../recovery/find-backup.ts'
import { type Backup, sizeOf } from '../../../recovery/read-backups.ts'
import { readProofs } from '../../../recovery/read-proofs.ts'
import { placeCommand, print, withPlace } from './backup-command.ts'
import type { BackupDeps, PlaceFlags } from './deps.ts'
import { provenLine, shownProof } from './proven.ts'

interface ShowFlags extends PlaceFlags {
  readonly manifests?: boolean
}

export function showCommand(deps: BackupDeps): Command {
  return placeCommand('show', 'Show one backup. Outputs may hold passwords: they are shown to whoever has the key.')
    .argument('<name>', 'name or id of a backup, or namespace/kind/name for the newest of an object')
    .option('--manifests', 'print only the manifests of the application, as YAML')
    .action((name: string, flags: ShowFlags) =>
      withPlace(deps, flags, async ({ place }) => {
        if (flags.manifests) {
          const { record } = await getBackup(place, name, { signal: deps.signal })
          deps.output.out((record.manifests ?? []).map((manifest) => `---\n${stringify(manifest)}`).join(''))
          return
        }
        const backup = await findBackup(place, name, { signal: deps.signal })
        const { key, header, record, problem } = backup
        const question = { signal: deps.signal, ...(header ? { object: header.object } : {}) }
        const known = (await readProofs(place, question)).get(backup.id)
        const proof = known && shownProof(known)
        const proven = proof ? provenLine(proof, deps.clock.now()) : 'never'
        const shown = {
          key,
          ...(record ? withoutContents(record) : header),
          ...(proof && { proof }),
          ...(problem && { problem }),
        }
        print(deps, flags, shown, textOf(backup, proven))
      }),
    )
}

function textOf({ key, header, record, problem }: Backup, proven: string): string {
  if (!header) return `Record: ${key}\nProblem: ${problem?.message ?? ''}\n`
  const size = record && sizeOf(record)
  const lines = {
    Backup: header.actionSet.name,
    Id: header.id,
    Of: `${kindOrResource(header.object)} ${header.object.namespace ?? ''}/${header.object.name ?? ''}`.trim(),
    Action: record ? `${header.action} of Blueprint ${record.blueprint.name}` : header.action,
    Time: `${header.startedAt} to ${header.finishedAt}`,
    ...(header.schedule === undefined ? {} : { Schedule: header.schedule }),
    Written: `by Holdfast ${header.engineVersion}, installation ${header.installation.id}, cluster ${header.installation.cluster ?? 'unknown'}`,
    Location: `${header.profile.location.bucket}/${header.profile.location.prefix} at ${header.profile.location.endpoint || "the cloud's own endpoint"}`,
    Record: key,
    Proven: proven,
    ...(size === undefined ? {} : { Size: formatBytes(size) }),
    ...(record?.images ? { Images: record.images.join(', ') } : {}),
    ...(record?.manifests ? { Manifests: record.manifests.map(nameOf).join(', ') } : {}),
    ...(record?.secrets ? { Secrets: record.secrets.map(nameOf).join(', ') } : {}),
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

/** Names and keys of the Secrets alone: what is in them goes into a cluster, never onto a screen. */
function withoutContents({ secrets, ...record }: BackupRecord): object {
  if (!secrets) return record
  const shown = secrets.map(({ data, stringData: _none, ...rest }) => ({ ...rest, keys: Object.keys(data ?? {}) }))
  return { ...record, secrets: shown }
}

function nameOf(manifest: Readonly<Record<string, unknown>>): string {
  return `${String(manifest['kind'])} ${(manifest['metadata'] as { readonly name?: string } | undefined)?.name ?? ''}`
}
