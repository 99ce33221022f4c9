import type { ActionSet, ActionSpec } from '../../../api/actionset.ts'
import { names } from '../../../api/names.ts'
import type { ObjectReference } from '../../../api/object-reference.ts'
import { cliError } from '../../errors.ts'
import type { CreateRequest } from './parse.ts'

/** An ActionSet on its way to the API server, fields in the order in which kanctl prints them. */
export interface NewActionSet {
  readonly apiVersion: 'cr.kanister.io/v1alpha1'
  readonly kind: 'ActionSet'
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> }
  readonly spec: { readonly actions: readonly ActionSpec[] }
}

/** Builds the ActionSet that the request asks for. `suffix` is the random end of a derived name. */
export function buildActionSet(request: CreateRequest, parent: ActionSet | undefined, suffix: string): NewActionSet {
  const actions = parent ? childActions(request, parent) : newActions(request)
  return {
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'ActionSet',
    metadata: {
      name: request.name ?? derivedName(request, suffix),
      ...(Object.keys(request.labels).length > 0 ? { labels: request.labels } : {}),
    },
    spec: { actions },
  }
}

function derivedName({ action, parent }: CreateRequest, suffix: string): string {
  return [action, parent, suffix].filter((part) => part !== undefined).join('-')
}

function newActions(request: CreateRequest): ActionSpec[] {
  if (request.objects.length === 0) {
    throw cliError('CLI_USAGE', 'no objects found to perform action set. Please pass a valid parent action set and/or selector')
  }
  if (!request.action) throw cliError('CLI_USAGE', 'action required to create new action set')
  if (!request.blueprint) throw cliError('CLI_USAGE', 'blueprint required to create new action set')
  const common = { name: request.action, blueprint: request.blueprint, ...settings(request) }
  return request.objects.map((object) => ({ ...common, object }))
}

function settings(request: CreateRequest): ActionSpec {
  return {
    ...(request.profile ? { profile: request.profile } : {}),
    ...(request.secrets ? { secrets: request.secrets } : {}),
    ...(request.configMaps ? { configMaps: request.configMaps } : {}),
    ...(Object.keys(request.options).length > 0 ? { options: request.options } : {}),
    podLabels: request.podLabels,
    podAnnotations: request.podAnnotations,
  }
}

/**
 * One child per action of the parent's status, times the objects given. Artifacts are the parent's rendered ones. Unlike kanctl,
 * podOverride, preferredVersion, podLabels and podAnnotations of the parent are kept where no flag replaces them.
 */
function childActions(request: CreateRequest, parent: ActionSet): ActionSpec[] {
  const name = parent.metadata.name
  if (parent.status?.state !== 'complete') {
    throw cliError(
      'CLI_PARENT',
      `Request parent ActionSet ${name} has not been executed: its state is ${parent.status?.state ?? 'unset'}, and only a complete one has artifacts to go on from`,
    )
  }
  if (request.action === 'delete' && parent.metadata.labels?.[names.imported] === 'true') {
    const text = `ActionSet ${name} was imported, and its backup belongs to another installation, which may still need it`
    throw cliError('CLI_PARENT', `${text}: when that one is surely gone, run "holdfast dr takeover" first`)
  }
  return (parent.status.actions ?? []).flatMap((done, index) => {
    const asked = parent.spec?.actions?.[index] ?? {}
    const objects: readonly ObjectReference[] = request.objects.length > 0 ? request.objects : [done.object ?? {}]
    return objects.map((object) => child(request, asked, { ...asked, ...done, object }))
  })
}

function child(request: CreateRequest, asked: ActionSpec, done: ActionSpec): ActionSpec {
  const { options: askedOptions = {}, ...kept } = asked
  const options = { ...askedOptions, ...request.options }
  const { podLabels, podAnnotations, ...given } = settings(request)
  return {
    ...kept,
    ...given,
    name: request.action ?? asked.name ?? done.name ?? '',
    blueprint: request.blueprint ?? done.blueprint ?? '',
    object: done.object ?? {},
    ...(done.artifacts ? { artifacts: done.artifacts } : {}),
    ...(Object.keys(options).length > 0 ? { options } : {}),
    podLabels: { ...asked.podLabels, ...podLabels },
    podAnnotations: { ...asked.podAnnotations, ...podAnnotations },
  }
}
