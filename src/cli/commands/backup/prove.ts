import type { Command } from 'commander'
import { apiVersionOf } from '../../../api/kind.ts'
import { verificationKind, type Verification, type VerificationSpec } from '../../../api/verification.ts'
import { kubeError } from '../../../kube/errors.ts'
import { ownKinds } from '../../../kube/own-kinds.ts'
import { findBackup } from '../../../recovery/find-backup.ts'
import type { Backup } from '../../../recovery/read-backups.ts'
import { cliError } from '../../errors.ts'
import { parseDuration } from '../../kanctl/create-actionset/parse.ts'
import { clusterOf, placeCommand, print, withPlace } from './backup-command.ts'
import type { BackupDeps, OpenedPlace, PlaceFlags } from './deps.ts'
import { pairs } from './restore-flags.ts'

interface ProveFlags extends PlaceFlags {
  readonly check: string
  readonly restore: boolean
  readonly verify: boolean
  readonly option?: readonly string[]
  readonly storageClass?: readonly string[]
  readonly accept?: readonly string[]
  readonly copySecrets: boolean
  readonly isolate?: boolean
  readonly keepOnFailure?: boolean
  readonly timeout: string
  readonly wait?: boolean
}

/** What of a proof is not the restore: the catalog, the sample, the end of the namespace. */
const restMs = 3_600_000

export function proveCommand(deps: BackupDeps): Command {
  const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value]
  return placeCommand(
    'prove',
    'Prove that a backup can be restored: a sample of its data, a test restore into a throw-away namespace, figures compared. Makes a Verification.',
    'with --wait 3 the backup is no good; 4 the time to wait was over; 5 it could not be tried',
  )
    .argument('<name>', 'name or id of a backup, or namespace/kind/name for the newest of an object')
    .option('--check <subset>', 'how much of the repository is read: 5%, 2/10, 0%', '5%')
    .option('--no-check', 'read no sample')
    .option('--no-restore', 'restore nothing')
    .option('--no-verify', 'do not run the verify action of the Blueprint')
    .option('--option <name=value>', 'option of the restore action, over those of the backup', collect)
    .option('--storage-class <old=new>', 'use another storage class; may be given several times', collect)
    .option('--accept <code>', 'go on in spite of this blocker of the plan; may be given several times', collect)
    .option('--no-copy-secrets', 'copy no Secrets of the original for that time')
    .option('--isolate', 'the restored pods may speak with each other only')
    .option('--keep-on-failure', 'leave a failed test restore there for a look')
    .option('--timeout <duration>', 'how long restore and verify may take', '1h')
    .option('-w, --wait', 'wait for the result')
    .action((name: string, flags: ProveFlags) =>
      withPlace(deps, flags, async (opened) => {
        const { kube, namespace } = clusterOf(opened)
        const backup = await findBackup(opened.place, name, { signal: deps.signal })
        const wanted = verificationOf(deps, opened, backup, flags)
        const made = await kube.resource(ownKinds.verifications).create(wanted, { signal: deps.signal })
        if (flags.wait !== true) {
          const follow = `kubectl get verification -n ${namespace} ${made.metadata.name} -w`
          return print(deps, flags, made, `Verification ${made.metadata.name} made; follow it with: ${follow}\n`)
        }
        const done = await waitForEnd(deps, opened, made.metadata.name, parseDuration(flags.timeout) + restMs)
        print(deps, flags, done, renderResult(done))
        if (done.status?.state === 'failed') deps.finish(done.status.disproved === true ? 3 : 5)
      }),
    )
}

function verificationOf(deps: BackupDeps, opened: OpenedPlace, backup: Backup, flags: ProveFlags): Verification {
  const { namespace, profile } = clusterOf(opened)
  const { key, header, kind, name } = backup
  const options = pairs(flags.option, '--option')
  const storageClasses = pairs(flags.storageClass, '--storage-class')
  const spec: VerificationSpec = {
    profile,
    record: key,
    object: header?.object ?? { kind, name, namespace: backup.namespace },
    ...(typeof flags.check === 'string' ? { check: { subset: flags.check } } : {}),
    ...(flags.restore
      ? {
          restore: {
            timeout: flags.timeout,
            ...(Object.keys(options).length > 0 ? { options } : {}),
            ...(Object.keys(storageClasses).length > 0 ? { storageClasses } : {}),
            ...(flags.accept ? { accept: [...flags.accept] } : {}),
            ...(flags.copySecrets ? {} : { copySecrets: false }),
            ...(flags.isolate === true ? { isolate: true } : {}),
            ...(flags.keepOnFailure === true ? { keepOnFailure: true } : {}),
          },
        }
      : {}),
    ...(flags.restore && flags.verify ? { verify: {} } : {}),
  }
  const called = (header?.actionSet.name ?? name).replace(/^backup-/, '').slice(0, 40)
  const metadata = { name: `prove-${called}-${deps.suffix()}`, namespace }
  // The server fills in the rest of the metadata.
  return { apiVersion: apiVersionOf(verificationKind), kind: 'Verification', metadata, spec } as unknown as Verification
}

async function waitForEnd(
  { output, signal }: BackupDeps,
  opened: OpenedPlace,
  name: string,
  timeoutMs: number,
): Promise<Verification> {
  const { kube, namespace } = clusterOf(opened)
  let [said, wasThere] = ['', false]
  const look = (found: Verification | undefined): Verification | undefined => {
    if (!found && wasThere) throw cliError('CLI_NOT_FOUND', `verification ${name} was removed before it ended`)
    wasThere ||= found !== undefined
    const { step = '', state } = found?.status ?? {}
    if (step !== said && step !== '') output.err(`  ${step}\n`)
    said = step
    return state === 'complete' || state === 'failed' ? found : undefined
  }
  try {
    return await kube.waitFor(ownKinds.verifications, { namespace, name }, look, { signal, timeoutMs, what: 'to end' })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_TIMEOUT')) throw error
    const text = `verification ${name} had not ended after ${timeoutMs / 1000} s; it goes on`
    throw cliError('CLI_WAIT_TIMEOUT', text, { cause: error })
  }
}

function renderResult({ metadata, status = {} }: Pick<Verification, 'metadata' | 'status'>): string {
  const { steps = [], compared = {}, state, disproved, message = '' } = status
  const lines = steps.map((step) =>
    `${step.name.padEnd(9)}${step.state.padEnd(10)}${step.seconds === undefined ? '' : `${step.seconds} s  `}${step.message ?? ''}`.trimEnd(),
  )
  const figures = Object.entries(compared).map(([name, { recorded, found }]) =>
    recorded === found ? `  ${name}: ${found}` : `  ${name}: ${recorded} at the backup, ${found} after the restore`,
  )
  const restored = steps.some(({ name, state: how }) => name === 'restore' && how === 'complete')
  const good = restored ? 'proven: it can be restored' : 'sound as far as it was looked at; it was not restored'
  const bad = disproved === true ? 'DISPROVED' : 'could not be proven'
  const verdict = state === 'complete' ? good : `${bad}: ${message}`
  return `${[...lines, ...figures].join('\n')}\n${metadata.name}: ${verdict}\n`
}
