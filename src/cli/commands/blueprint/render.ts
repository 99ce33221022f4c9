import { parse, stringify } from 'yaml'
import type { ActionSet, ActionSpec } from '../../../api/actionset.ts'
import type { Blueprint } from '../../../api/blueprint.ts'
import { ownKinds } from '../../../kube/own-kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import { lintBlueprintText } from '../../../lint/lint.ts'
import { cliError } from '../../errors.ts'
import { buildActionSet } from '../../kanctl/create-actionset/build.ts'
import { parseFlags } from '../../kanctl/create-actionset/parse.ts'
import type { BlueprintDeps } from './deps.ts'
import { markedFinding } from './marked-finding.ts'

export interface RenderFlags {
  readonly action?: string
  /** `KIND/NAMESPACE/NAME`, or `GROUP/VERSION/RESOURCE/NAMESPACE/NAME`. */
  readonly object?: string
  readonly from?: string
  readonly profile?: string
  readonly options: readonly string[]
  readonly secrets: readonly string[]
  readonly configMaps: readonly string[]
  readonly output: 'yaml' | 'json'
}

export interface RenderDeps extends BlueprintDeps {
  readonly kube: Kube
  readonly namespace: string
  readonly signal: AbortSignal
  /** What the engine would do; a problem of a phase is in its entry. */
  dryRun(blueprint: Blueprint, action: ActionSpec): Promise<object>
}

/** Prints what each phase would get. Exit code 1 when something could not be rendered. */
export async function renderBlueprint(file: string, flags: RenderFlags, deps: RenderDeps): Promise<number> {
  const text = await deps.readText(file)
  const unreadable = lintBlueprintText(text).filter(({ code }) => code === 'LINT_YAML' || code === 'LINT_NOT_BLUEPRINT')
  for (const finding of unreadable) deps.output.err(`${markedFinding(finding, file)}\n`)
  if (unreadable.length > 0) return 1
  // It was found to be a Blueprint above; what is wrong within its actions shows in the phases.
  const blueprint = parse(text, { version: '1.1', merge: true }) as Blueprint
  const actions = await actionsOf(flags, blueprint, deps)
  const rendered: object[] = []
  for (const action of actions) {
    const object = Object.fromEntries(Object.entries(action.object ?? {}).filter(([, value]) => value !== ''))
    rendered.push({ action: action.name, object, ...(await deps.dryRun(blueprint, action)) })
  }
  const printed = JSON.stringify(rendered, undefined, 2)
  deps.output.out(
    flags.output === 'json' ? `${printed}\n` : stringify(rendered, { lineWidth: 0, aliasDuplicateObjects: false }),
  )
  return /"(problem|artifactsProblem)":/.test(printed) ? 1 : 0
}

/** The actions that `create actionset` would ask for. */
async function actionsOf(flags: RenderFlags, blueprint: Blueprint, deps: RenderDeps): Promise<readonly ActionSpec[]> {
  const { kube, namespace, signal } = deps
  const request = parseFlags(
    {
      ...noFlags,
      ...targetFlags(flags.object),
      ...(flags.action ? { action: flags.action } : {}),
      ...(flags.profile ? { profile: flags.profile } : {}),
      blueprint: blueprint.metadata.name,
      options: flags.options,
      secrets: flags.secrets,
      configMaps: flags.configMaps,
    },
    namespace,
  )
  const parent = flags.from
    ? await kube.resource<ActionSet>(ownKinds.actionSets).get({ namespace, name: flags.from }, { signal })
    : undefined
  return buildActionSet(request, parent, 'render').spec.actions
}

const noFlags = {
  deployment: [],
  statefulset: [],
  deploymentconfig: [],
  pvc: [],
  namespacetargets: [],
  objects: [],
  kind: 'all',
  selectorNamespace: '',
  labels: '',
  podlabels: [],
  podannotations: [],
  dryRun: true,
  skipValidation: true,
  wait: false,
  timeoutMs: 0,
} as const

function targetFlags(object: string | undefined): Readonly<Record<string, readonly string[]>> {
  if (object === undefined) return {}
  const parts = object.split('/')
  const [kind = '', ...place] = parts
  const flag = kind.toLowerCase()
  if (flag === 'namespace' && place.length > 0) return { namespacetargets: [place.at(-1) ?? ''] }
  if (['statefulset', 'deployment', 'deploymentconfig', 'pvc'].includes(flag)) return { [flag]: [place.join('/')] }
  if (parts.length > 3) return { objects: [object] }
  throw cliError(
    'CLI_USAGE',
    `"${object}" is no object: write StatefulSet/NAMESPACE/NAME (or Deployment, DeploymentConfig, PVC, Namespace), or GROUP/VERSION/RESOURCE/NAMESPACE/NAME`,
  )
}
