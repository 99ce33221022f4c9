import type { Command } from 'commander'
import { toRfc3339 } from '../../../base/clock.ts'
import { appendLink, readChain } from '../../../catalog/chain-store.ts'
import type { CatalogKey } from '../../../catalog/catalog-key.ts'
import { stateOf, type LinkContent } from '../../../catalog/chain.ts'
import { recoveryError } from '../../../recovery/errors.ts'
import { getBackup } from '../../../recovery/find-backup.ts'
import type { RecoveryPlace } from '../../../recovery/place.ts'
import { placeCommand, print, withPlace } from './backup-command.ts'
import type { BackupDeps, PlaceFlags } from './deps.ts'

interface PinFlags extends PlaceFlags {
  readonly reason?: string
}

export function pinCommand(deps: BackupDeps): Command {
  return placeCommand('pin', 'Keep a backup whatever the retention says (a legal hold), until it is unpinned.')
    .argument('<name>', 'name or id of a backup, or namespace/kind/name for the newest of an object')
    .requiredOption('--reason <text>', 'why it must stay; shown with every decision about it')
    .action((name: string, flags: PinFlags) => say(deps, flags, name, 'pin'))
}

export function unpinCommand(deps: BackupDeps): Command {
  return placeCommand('unpin', 'Let the retention decide about a backup again.')
    .argument('<name>', 'name or id of a backup, or namespace/kind/name for the newest of an object')
    .option('--reason <text>', 'why it need not stay any more; kept in the chain')
    .action((name: string, flags: PinFlags) => say(deps, flags, name, 'unpin'))
}

/** One link more in the chain of the installation that wrote the backup: what was said stays to be read. */
async function say(deps: BackupDeps, flags: PinFlags, name: string, kind: 'pin' | 'unpin'): Promise<void> {
  await withPlace(deps, flags, async ({ place }) => {
    const { signal } = deps
    const { record } = await getBackup(place, name, { signal })
    const { location } = place
    const chain = { location, installation: record.installation.id, object: record.object, key: keyOf(place) }
    const state = stateOf(await readChain(chain, { signal })).backups.get(record.id)
    if (!state) {
      const text = `the chain of ${record.object.namespace ?? ''}/${record.object.name ?? ''} does not speak of backup ${record.id} yet; the engine adds it some seconds after the backup`
      throw recoveryError('RECOVERY_NO_BACKUP', text)
    }
    const note = flags.reason === undefined ? {} : { note: flags.reason }
    const content: LinkContent = { kind, record: record.id, ...note, at: toRfc3339(deps.clock.now()) }
    const changes = kind === 'pin' ? state.pinned !== flags.reason : state.pinned !== undefined
    if (changes) await appendLink(chain, content, { signal })
    const what = kind === 'pin' ? `stays: ${flags.reason}` : 'is the retention’s to decide about again'
    print(
      deps,
      flags,
      { id: record.id, pinned: kind === 'pin', ...note, changed: changes },
      `backup ${record.actionSet.name} (${record.id}) ${what}\n`,
    )
  })
}

/** Signed by the current key; what was signed before it was exchanged is read by the older ones. */
function keyOf({ keys }: RecoveryPlace): CatalogKey {
  const [current, ...older] = keys.map(({ catalog }) => catalog)
  if (!current) throw recoveryError('RECOVERY_LOCKED', 'a pin is signed with the recovery key: give --recovery-key-file')
  return { ...current, previous: [...(current.previous ?? []), ...older] }
}
