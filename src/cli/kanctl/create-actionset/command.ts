import { stringify } from 'yaml'
import type { ActionSet } from '../../../api/actionset.ts'
import { ownKinds } from '../../../kube/own-kinds.ts'
import { kubeError } from '../../../kube/errors.ts'
import type { Kube } from '../../../kube/kube.ts'
import { cliError } from '../../errors.ts'
import type { Output } from '../../output.ts'
import { buildActionSet, type NewActionSet } from './build.ts'
import type { CreateActionSetFlags } from './flags.ts'
import { parseFlags, type CreateRequest } from './parse.ts'
import { selectObjects } from './select.ts'
import { verifyReferences } from './verify.ts'
import { waitForActionSet } from './wait.ts'

export interface CreateActionSetDeps {
  readonly kube: Kube
  readonly namespace: string
  readonly output: Output
  readonly signal: AbortSignal
  /** Five random characters of the alphabet that Kubernetes uses for generated names. */
  readonly suffix: () => string
}

/** `kubectl create actionset`, `kanctl create actionset`. Prints `actionset <name> created`. */
export async function createActionSet(flags: CreateActionSetFlags, deps: CreateActionSetDeps): Promise<void> {
  const { kube, namespace, output, signal } = deps
  const request = await withSelected(parseFlags(flags, namespace), flags, deps)
  const parent = request.parent === undefined ? undefined : await findParent(kube, namespace, request.parent, signal)
  const actionSet = buildActionSet(request, parent, deps.suffix())
  warnAboutProfile(actionSet, output)
  if (!flags.skipValidation) await verifyReferences(kube, actionSet, namespace, output, signal)
  if (flags.dryRun) {
    output.out(stringify(actionSet, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false }))
    return
  }
  const created = await kube.resource(ownKinds.actionSets).create(inNamespace(actionSet, namespace), { signal })
  output.out(`actionset ${created.metadata.name} created\n`)
  if (flags.wait)
    await waitForActionSet(kube, { namespace, name: created.metadata.name }, output, { timeoutMs: flags.timeoutMs, signal })
}

async function withSelected(
  request: CreateRequest,
  flags: CreateActionSetFlags,
  deps: CreateActionSetDeps,
): Promise<CreateRequest> {
  if (!flags.selector) return request
  const selector = { labels: flags.selector, kind: flags.kind, namespace: flags.selectorNamespace }
  const selected = await selectObjects(deps.kube, selector, deps.signal)
  const all = [...request.objects, ...selected]
  return { ...request, objects: [...new Map(all.map((reference) => [JSON.stringify(reference), reference])).values()] }
}

async function findParent(kube: Kube, namespace: string, name: string, signal: AbortSignal): Promise<ActionSet> {
  try {
    return await kube.resource(ownKinds.actionSets).get({ namespace, name }, { signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_NOT_FOUND')) throw error
    throw cliError(
      'CLI_PARENT',
      `parent ActionSet ${name} does not exist in namespace ${namespace}; -n names another namespace`,
      {
        cause: error,
      },
    )
  }
}

/** On `err`: kanctl prints this on stdout, where it spoils the YAML of a dry run. */
function warnAboutProfile(actionSet: NewActionSet, output: Output): void {
  if (actionSet.spec.actions.every((action) => action.profile)) return
  output.err('Warning: --profile flag is not provided.\nAction might fail if blueprint is using this resource.\n')
}

function inNamespace(actionSet: NewActionSet, namespace: string): ActionSet {
  // The API server fills in the rest of the metadata.
  return { ...actionSet, metadata: { ...actionSet.metadata, namespace } } as unknown as ActionSet
}
