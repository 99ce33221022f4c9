import { isDeepStrictEqual } from 'node:util'
import type { ObjectReference } from '../../api/object-reference.ts'
import { runName } from '../../api/run.ts'
import type { Verification, VerificationStatus } from '../../api/verification.ts'
import { verificationKind } from '../../api/verification.ts'
import { toRfc3339 } from '../../base/clock.ts'
import { messageOf, nextOf } from '../../base/errors.ts'
import { writeProof } from '../../catalog/proof.ts'
import { findRecordKey } from '../../catalog/record-key.ts'
import type { EventNote, EventSink } from '../../kube/events.ts'
import type { Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import { tell } from '../runtime/tell.ts'
import { restoreTimeoutMs, type Decision } from './decide.ts'
import { labelOf, namespaceName } from './derived-names.ts'
import { again, begun, ended, finished, isRestored, runningStep, started } from './progress.ts'
import { carryOut, judge, type StepDeps } from './steps.ts'
import { removeNamespace, stopActionSets } from './test-namespace.ts'

export interface ActDeps extends StepDeps {
  readonly events: EventSink
}

type Working = Exclude<Decision, { readonly kind: 'rest' | 'remove' }>

/**
 * Carries out what was decided and gives the Verification as it is then. Each write tests the status that it was decided on, so that of two operators
 * one loses before it does anything.
 */
export async function act(
  deps: ActDeps,
  verification: Live<Verification>,
  decision: Working,
  signal: AbortSignal,
): Promise<Live<Verification>> {
  const { clock } = deps
  const { status = {} } = verification
  switch (decision.kind) {
    case 'begin':
      return await write(deps, verification, await begin(deps, verification, signal), signal)
    case 'refuse': {
      const failed = finished(
        begun(verification, clock.now()),
        'catalog',
        { state: 'failed', message: decision.message },
        clock.now(),
      )
      return await write(deps, verification, failed, signal)
    }
    case 'step':
      return await step(deps, verification, decision.name, signal)
    case 'judge': {
      const { namespace, uid } = decision.actionSet.metadata
      const failed = decision.actionSet.status?.state === 'failed'
      const runs = deps.kube.resource(ownKinds.runs)
      const run = failed ? await runs.find({ namespace, name: runName(uid) }, { signal }) : undefined
      const outcome = judge(decision.name, decision.actionSet, run)
      return await write(deps, verification, finished(status, decision.name, outcome, clock.now()), signal)
    }
    case 'settle':
      return await write(deps, verification, finished(status, decision.name, decision.outcome, clock.now()), signal)
    case 'again':
      return await beginAnew(deps, verification, signal)
    case 'end':
      return await end(deps, verification, signal)
  }
}

/** Without the rights for a test restore nothing is begun, so that nobody waits for the rest. */
async function begin(deps: ActDeps, verification: Live<Verification>, signal: AbortSignal): Promise<VerificationStatus> {
  const status = begun(verification, deps.clock.now())
  if (!verification.spec.restore) return status
  try {
    await deps.refuseWithoutRights({ kube: deps.kube, signal })
    return status
  } catch (error) {
    signal.throwIfAborted()
    if (nextOf(error) !== 'stop') throw error
    return finished(status, 'restore', { state: 'failed', message: messageOf(error) }, deps.clock.now())
  }
}

async function step(
  deps: ActDeps,
  verification: Live<Verification>,
  name: NonNullable<ReturnType<typeof runningStep>>,
  signal: AbortSignal,
): Promise<Live<Verification>> {
  const { clock } = deps
  const { status = {} } = verification
  const more =
    name === 'restore'
      ? {
          namespace: namespaceName(verification, status.attempt ?? 1),
          deadline: toRfc3339(clock.now() + restoreTimeoutMs(verification.spec)),
        }
      : {}
  // The next one to look sees that it was begun. ActionSets have derived names, so those steps are begun with them.
  const isWatched = name === 'check' || name === 'verify'
  const running = started(status, name, clock.now(), more)
  const current = isWatched || runningStep(status) === name ? verification : await write(deps, verification, running, signal)
  const result = await carryOut({ deps, verification: current, status: isWatched ? status : running, signal }, name)
  const after =
    'outcome' in result ? finished(running, name, result.outcome, clock.now()) : { ...running, actionSet: result.actionSet }
  return await write(deps, current, after, signal)
}

/** What the attempt before has left goes first. */
async function beginAnew(deps: ActDeps, verification: Live<Verification>, signal: AbortSignal): Promise<Live<Verification>> {
  const { metadata, status = {}, spec } = verification
  deps.log.warn({ Verification: metadata.name, attempt: status.attempt ?? 1 }, 'a proof was interrupted, it begins anew')
  await stopActionSets(deps, { namespace: metadata.namespace, label: labelOf(verification), uid: metadata.uid }, signal)
  const problem =
    status.namespace === undefined ? undefined : await removeNamespace(deps, status.namespace, metadata.uid, signal)
  if (problem !== undefined) {
    const outcome = { state: 'failed', message: problem } as const
    return await write(
      deps,
      verification,
      finished(status, runningStep(status) ?? 'restore', outcome, deps.clock.now()),
      signal,
    )
  }
  return await write(deps, verification, again(status, spec, deps.clock.now()), signal)
}

/** The word in the chain first: told twice it is told once, and a status that says "ended" is looked at no more. */
async function end(deps: ActDeps, verification: Live<Verification>, signal: AbortSignal): Promise<Live<Verification>> {
  const status = ended(verification.status ?? {}, deps.clock.now())
  const proof = await tellChain(deps, verification, status, signal)
  const after = await write(deps, verification, { ...status, ...proof }, signal)
  tell(deps, verificationKind, after, noteOf(after))
  return after
}

type Told = Pick<VerificationStatus, 'proof' | 'message'>

/** Nothing is said in the chain where neither "proven" nor "no good" is true: what could not be tried, or was not restored. */
async function tellChain(
  deps: ActDeps,
  { spec, metadata }: Live<Verification>,
  status: VerificationStatus,
  signal: AbortSignal,
): Promise<Told> {
  const proven = isRestored(status)
  if (!proven && status.disproved !== true) return {}
  const at = Date.parse(status.endedAt ?? '')
  try {
    const { place, key, installation } = await deps.openPlace(spec.profile, signal)
    const link = await writeProof(
      { location: place.location, key, installation, object: objectOf(spec) },
      {
        recordId: status.backup ?? '',
        at,
        state: proven ? 'proven' : 'failed',
        ...(status.message ? { message: status.message } : {}),
        details: {
          verification: metadata.name,
          uid: metadata.uid,
          seconds: Math.max(0, Math.round((at - Date.parse(status.startedAt ?? '')) / 1_000)),
          steps: (status.steps ?? []).map(({ name, state }) => ({ name, state })),
        },
      },
      { signal },
    )
    return { proof: link }
  } catch (error) {
    signal.throwIfAborted()
    if (nextOf(error) !== 'stop') throw error
    // The chain may be just what is damaged.
    const said = `the result could not be told in the chain: ${messageOf(error)}`
    return { message: status.message ? `${status.message}; ${said}` : said }
  }
}

/** The record's key is the truth; `spec.object` is for people. */
function objectOf({ record, object }: Verification['spec']): ObjectReference {
  const key = findRecordKey(record)
  return key ? { kind: key.kind, namespace: key.namespace, name: key.name } : (object ?? {})
}

function noteOf({ spec, status = {} }: Live<Verification>): EventNote {
  const { kind = '', namespace = '', name = '' } = objectOf(spec)
  const what = `backup of ${status.backupAt ?? ''} of ${kind.toLowerCase()} ${namespace}/${name}`
  if (status.state === 'complete')
    return isRestored(status)
      ? {
          type: 'Normal',
          reason: 'Proven',
          message: `${what} was restored${status.compared ? ' and its figures are equal' : ''}`,
        }
      : { type: 'Normal', reason: 'Checked', message: `${what} was found sound; it was not restored` }
  const reason = status.disproved ? 'Disproved' : 'NotProven'
  return { type: 'Warning', reason, message: `${what}: ${status.message ?? ''}` }
}

async function write(
  deps: ActDeps,
  verification: Live<Verification>,
  status: VerificationStatus,
  signal: AbortSignal,
): Promise<Live<Verification>> {
  if (isDeepStrictEqual(verification.status, status)) return verification
  const { namespace, name, resourceVersion } = verification.metadata
  const patch = [
    verification.status
      ? { op: 'test', path: '/status', value: verification.status }
      : { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'add', path: '/status', value: status },
  ]
  return await deps.kube.resource(ownKinds.verifications).patch({ namespace, name }, patch, { type: 'json', signal })
}
