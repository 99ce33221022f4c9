import type { ObjectReference } from '../../../api/object-reference.ts'
import { cliError } from '../../errors.ts'
import type { CreateActionSetFlags } from './flags.ts'

/** The flags, understood. Maps are absent when their flag was not given: with `--from` the parent's are then kept. */
export interface CreateRequest {
  readonly action?: string
  readonly blueprint?: string
  readonly parent?: string
  readonly name?: string
  readonly objects: readonly ObjectReference[]
  readonly profile?: ObjectReference
  readonly secrets?: Record<string, ObjectReference>
  readonly configMaps?: Record<string, ObjectReference>
  readonly options: Record<string, string>
  readonly labels: Record<string, string>
  readonly podLabels: Record<string, string>
  readonly podAnnotations: Record<string, string>
}

/** Reads the flags; `namespace` is where the ActionSet will be. Throws CLI_USAGE. */
export function parseFlags(flags: CreateActionSetFlags, namespace: string): CreateRequest {
  const secrets = references('secrets', 'Secret', flags.secrets)
  const configMaps = references('config-maps', 'ConfigMap', flags.configMaps)
  return {
    ...present('action', flags.action),
    ...present('blueprint', flags.blueprint),
    ...present('parent', flags.from),
    ...present('name', flags.name),
    ...present('profile', flags.profile === undefined ? undefined : profileReference(flags.profile, namespace)),
    ...present('secrets', flags.secrets.length > 0 ? secrets : undefined),
    ...present('configMaps', flags.configMaps.length > 0 ? configMaps : undefined),
    objects: targets(flags),
    options: options(flags.options),
    labels: pairs('labels', flags.labels === '' ? [] : flags.labels.split(',')),
    podLabels: checkedLabels(pairs('podlabels', flags.podlabels)),
    podAnnotations: pairs('podannotations', flags.podannotations),
  }
}

function present<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value }
}

/** The objects named one by one, in the order of the flags' list, each once. */
function targets(flags: CreateActionSetFlags): ObjectReference[] {
  const found = [
    ...flags.deployment.map((value) => workload('deployment', value)),
    ...flags.statefulset.map((value) => workload('statefulset', value)),
    ...flags.deploymentconfig.map((value) => workload('deploymentconfig', value)),
    ...flags.pvc.map((value) => workload('pvc', value)),
    ...flags.namespacetargets.map((name) => ({
      apiVersion: '',
      group: '',
      resource: '',
      kind: 'namespace',
      name,
      namespace: name,
    })),
    ...flags.objects.map(anyObject),
  ]
  return [...new Map(found.map((reference) => [JSON.stringify(reference), reference])).values()]
}

const namePattern = String.raw`[\w.-]+`

function workload(kind: string, value: string): ObjectReference {
  const match = new RegExp(`^(${namePattern})/(${namePattern})$`).exec(value)
  if (!match) throw cliError('CLI_USAGE', `failed to parse ${kind}: Expected namespace/name. Got ${value}`)
  return { apiVersion: '', group: '', resource: '', kind, name: match[2] as string, namespace: match[1] as string }
}

function anyObject(value: string): ObjectReference {
  const parts = value.split('/')
  const [group, version, resource, namespace, name] = parts.length === 4 ? ['', ...parts] : parts
  if (parts.length < 4 || parts.length > 5 || [version, resource, namespace, name].some((part) => !part)) {
    throw cliError(
      'CLI_USAGE',
      `Expected group/version/resource/namespace/name or in the case of core group's resources version/resource/namespace/name . Got ${value}`,
    )
  }
  return {
    apiVersion: version as string,
    group: group as string,
    resource: resource as string,
    kind: '',
    name: name as string,
    namespace: namespace as string,
  }
}

function references(flag: string, kind: string, values: readonly string[]): Record<string, ObjectReference> {
  return Object.fromEntries(
    values.map((value) => {
      const match = new RegExp(`^(${namePattern})=(${namePattern})/(${namePattern})$`).exec(value)
      if (!match) throw cliError('CLI_USAGE', `failed to parse ${flag}: Expected ref=namespace/name. Got ${value}`)
      const [, ref, namespace, name] = match as unknown as [string, string, string, string]
      return [ref, { apiVersion: '', group: '', resource: '', kind, name, namespace }]
    }),
  )
}

function profileReference(value: string, namespace: string): ObjectReference {
  const parts = value.split('/')
  if (parts.length > 2 || parts.some((part) => part === '')) {
    throw cliError(
      'CLI_USAGE',
      `Invalid profile name ${value}, should be of the form ( --profile namespace/name OR --profile name)`,
    )
  }
  const [first, second] = parts as [string, string | undefined]
  return {
    apiVersion: 'v1alpha1',
    group: '',
    resource: '',
    kind: 'Profile',
    name: second ?? first,
    namespace: second === undefined ? namespace : first,
  }
}

/** A value may hold further `=`: only the first one divides. */
function options(values: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    values.map((value) => {
      const at = value.indexOf('=')
      if (at <= 0) throw cliError('CLI_USAGE', `Expected options as key=value pairs. Got ${value}`)
      return [value.slice(0, at), value.slice(at + 1)]
    }),
  )
}

function pairs(flag: string, values: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    values.map((value) => {
      const at = value.indexOf('=')
      if (at <= 0) {
        throw cliError(
          'CLI_USAGE',
          `invalid --${flag} value. make sure the value for field --${flag} is correct: Expected key=value. Got ${value}`,
        )
      }
      return [value.slice(0, at).trim(), value.slice(at + 1).trim()]
    }),
  )
}

const labelName = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/
const labelValue = /^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/

function checkedLabels(labels: Record<string, string>): Record<string, string> {
  for (const [key, value] of Object.entries(labels)) {
    if (!labelName.test(key)) throw cliError('CLI_USAGE', `label key '${key}' failed validation. It must be a qualified name`)
    if (!labelValue.test(value))
      throw cliError('CLI_USAGE', `label value '${value}' failed validation. It must be a label value`)
  }
  return labels
}

/** `90s`, `30m`, `12h`, `1h30m` → ms. */
export function parseDuration(value: string): number {
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(value)
  if (!match || value === '') throw cliError('CLI_USAGE', `"${value}" is no duration; write it as 90s, 30m or 12h`)
  const [hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0))
  return ((hours * 60 + minutes) * 60 + seconds) * 1000
}
