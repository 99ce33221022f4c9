import { createHash } from 'node:crypto'
import type { ActionSet } from '../../api/actionset.ts'
import type { Artifacts } from '../../api/artifact.ts'
import { names } from '../../api/names.ts'
import type { RunActionSpec } from '../../api/run.ts'
import { canonicalJson } from '../../catalog/canonical.ts'
import type { FindFunction, Plan, PlanFinding } from '../../engine/plan.ts'
import type { Live } from '../../kube/objects.ts'
import { importedNames } from '../../recovery/imported-names.ts'
import { controllerError } from '../runtime/errors.ts'

/**
 * An import brings ActionSets of backups that belong to another installation. Until a takeover they may be restored and not removed, also by an
 * ActionSet that somebody writes by hand: it is known by the artifacts that it is given.
 */
export interface Foreign {
  /** A hash of each artifact, by action. */
  readonly actions: readonly (readonly string[])[]
}

/** What the caches keep of such an ActionSet beside its name; undefined of any other. */
export function foreignOf({ metadata, status }: Pick<ActionSet, 'metadata' | 'status'>): Foreign | undefined {
  if (metadata.labels?.[names.imported] !== 'true') return undefined
  const actions = (status?.actions ?? []).map(({ artifacts }) => hashesOf(artifacts)).filter((hashes) => hashes.length > 0)
  return { actions }
}

export function foreignIn(actionSet: Live<ActionSet>): Foreign | undefined {
  return (actionSet as { readonly foreign?: Foreign }).foreign
}

export interface ForeignQuestion {
  readonly plan: Plan
  readonly findFunction: FindFunction
  /** Those of all watched namespaces: an import goes into the engine's, a delete may stand in another. */
  readonly known: () => Promise<readonly Live<ActionSet>[]>
  /** The server's word on one of them: a takeover may have been a moment ago. */
  readonly read: (known: Live<ActionSet>) => Promise<Live<ActionSet> | undefined>
}

/** Why actions of this plan may not run: what they would remove is another installation's. */
export async function findForeign({ plan, findFunction, known, read }: ForeignQuestion): Promise<PlanFinding[]> {
  const findings: PlanFinding[] = []
  for (const [actionIndex, spec] of plan.actions.entries()) {
    const { artifacts } = spec.action
    if (!artifacts || !removesBackup(spec, findFunction)) continue
    const parent = (await known()).find((each) => isGiven(foreignIn(each), artifacts))
    const now = parent && (await read(parent))
    if (now && isGiven(foreignOf(now), artifacts))
      findings.push({ stage: 'launch', message: refusal(spec.action.name ?? '', now), actionIndex })
  }
  return findings
}

/** All that is given is of one imported backup. Some of it may be left out; what is shared with backups of ours lies at the same place. */
function isGiven(foreign: Foreign | undefined, artifacts: Artifacts): boolean {
  if (!foreign) return false
  const given = hashesOf(artifacts)
  return given.length > 0 && foreign.actions.some((hashes) => given.every((hash) => hashes.includes(hash)))
}

function hashesOf(artifacts: Artifacts | undefined): string[] {
  return Object.values(artifacts ?? {}).map((artifact) =>
    createHash('sha256').update(canonicalJson(artifact)).digest('base64url').slice(0, 22),
  )
}

const removing = /^(delete|remove|purge|destroy|prune|forget)/i
const restoring = /^restore/i
const removalCommand = /\blocation"?,?\s*"?delete\b/

/** By its name, as Blueprints call it, or by what it does; a restore may tidy up what it made itself. */
export function removesBackup({ action, blueprint }: RunActionSpec, findFunction: FindFunction): boolean {
  const name = action.name ?? ''
  if (removing.test(name)) return true
  if (restoring.test(name)) return false
  const phases = [...(blueprint?.phases ?? []), ...(blueprint?.deferPhase ? [blueprint.deferPhase] : [])]
  return phases.some(
    ({ func, args }) =>
      // The plan has no findings, so there is such a function.
      findFunction(func ?? '', action.preferredVersion ?? '').removes === true ||
      removalCommand.test(JSON.stringify(args ?? {})),
  )
}

function refusal(action: string, { metadata }: Live<ActionSet>): string {
  const installation = metadata.annotations?.[importedNames.installation] ?? 'unknown'
  const text =
    `action "${action}" would remove the backup of ActionSet "${metadata.name}", which was imported and belongs to installation ${installation}: ` +
    'that one may still need it. Restores of it are free; when that installation is surely gone, run "holdfast dr takeover" first'
  const { code, message } = controllerError('CONTROLLER_FOREIGN_BACKUP', text)
  return `${code}: ${message}`
}
