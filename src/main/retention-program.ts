import type { Command } from 'commander'
import { systemClock } from '../base/clock.ts'
import { retentionCommands, type RetentionDeps, type RetentionFlags } from '../cli/commands/retention/define.ts'
import { cliError } from '../cli/errors.ts'
import { planRetention } from '../controllers/retention/plan.ts'
import { kinds } from '../kube/kinds.ts'
import { ownKinds } from '../kube/own-kinds.ts'
import { StorePool } from '../store/store-pool.ts'
import type { backupAccess } from './backup-access.ts'
import { catalogOpener } from './open-catalog.ts'
import { ownIdentity } from './own-identity.ts'

type Ways = Parameters<typeof backupAccess>[0]

/** `holdfast retention …`. */
export function retentionProgram(ways: Ways): Command {
  return retentionCommands({ output: ways.output, plan: (name, flags) => plan(ways, name, flags) })
}

async function plan(ways: Ways, name: string, flags: RetentionFlags): ReturnType<RetentionDeps['plan']> {
  const { signal } = ways
  const kube = await ways.openKube(flags)
  const namespace = flags.namespace ?? kube.client.namespace
  const engineNamespace = flags.engineNamespace ?? namespace
  const schedule = await kube.resource(ownKinds.schedules).get({ namespace, name }, { signal })
  const profile = flags.profile === undefined ? schedule.spec.action?.profile : referenceOf(flags.profile)
  if (!profile) {
    const text = `Schedule ${namespace}/${name} names no Profile: give the one of its backups with --profile`
    throw cliError('CLI_USAGE', text)
  }
  const { metadata } = await kube.resource(kinds.namespaces).get({ name: engineNamespace }, { signal })
  const stores = new StorePool(ownIdentity(ways.env))
  try {
    const openCatalog = catalogOpener(kube, engineNamespace, metadata.uid, stores)
    const { verdicts, problems } = await planRetention(schedule, profile, { openCatalog, now: systemClock.now(), signal })
    const backups = verdicts.map(({ backup, keep, reasons }) => ({
      id: backup.id,
      object: backup.objectKey,
      time: backup.time,
      keep,
      reasons,
    }))
    return { backups, problems }
  } finally {
    await stores.close()
  }
}

function referenceOf(text: string): { readonly name: string; readonly namespace?: string } {
  const [first = '', second] = text.split('/')
  return second === undefined ? { name: first } : { name: second, namespace: first }
}
