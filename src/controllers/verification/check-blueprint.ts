import type { ActionSet, ActionSpec } from '../../api/actionset.ts'
import type { Blueprint } from '../../api/blueprint.ts'
import { names } from '../../api/names.ts'
import { kubeError } from '../../kube/errors.ts'
import type { Kube } from '../../kube/kube.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import type { Outcome } from './progress.ts'

/** The Blueprint by which a worker reads a sample of a repository. The engine keeps it itself. */
export const checkBlueprintName = 'holdfast-verification'

/** Go templates: they need no field of ours, which the API server drops where Kanister's CRDs are in force. */
const language = 'GoTemplate'

const body = {
  templateLanguage: language,
  actions: {
    check: {
      phases: [
        {
          func: 'CheckRepository',
          name: 'check',
          args: { backupArtifactPrefix: '{{ .Options.repository }}', readDataSubset: '{{ .Options.subset }}' },
        },
      ],
    },
  },
} as const

/** Made when it is first needed, and brought back when somebody, or another version, changed it. */
export async function ensureCheckBlueprint(
  kube: Pick<Kube, 'resource'>,
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  const blueprints = kube.resource(ownKinds.blueprints)
  const found = await blueprints.find({ namespace, name: checkBlueprintName }, { signal })
  if (found && JSON.stringify([found.templateLanguage ?? language, found.actions]) === JSON.stringify([language, body.actions]))
    return
  if (found) {
    const patch = Object.entries(body).map(([field, value]) => ({ op: 'add', path: `/${field}`, value }))
    await blueprints.patch({ namespace, name: checkBlueprintName }, patch, { type: 'json', signal })
    return
  }
  const object = {
    apiVersion: `${names.kanisterGroup}/${names.version}`,
    kind: 'Blueprint',
    metadata: { name: checkBlueprintName, namespace, labels: { 'app.kubernetes.io/part-of': 'holdfast' } },
    ...body,
  }
  try {
    // The server fills in the rest of the metadata.
    await blueprints.create(object as unknown as Blueprint, { signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
  }
}

export interface CheckRequest {
  /** Below the bucket. */
  readonly repositories: readonly string[]
  readonly bucket: string
  readonly subset: string
  readonly profile: { readonly name: string; readonly namespace: string }
  readonly namespace: string
}

/** An action for each repository. Their object is nothing that is touched: an action wants one. */
export function checkActions({ repositories, bucket, subset, profile, namespace }: CheckRequest): ActionSpec[] {
  return repositories.map((repository) => ({
    name: 'check',
    blueprint: checkBlueprintName,
    object: { kind: 'Namespace', name: namespace, namespace },
    profile: { apiVersion: names.version, ...profile },
    // With the bucket before it there is no doubt where it begins, whatever its first folder is called.
    options: { repository: `${bucket}/${repository}`, subset },
  }))
}

/** What the workers found. */
export function judgeCheck({ spec, status }: ActionSet): Outcome {
  if (status?.state === 'failed')
    return { state: 'failed', message: status.error?.message ?? `the check failed without a word` }
  const found = (status?.actions ?? []).map(({ phases = [] }, index) => ({
    repository: spec?.actions?.[index]?.options?.['repository'] ?? '',
    output: (phases[0]?.output ?? {}) as Readonly<Record<string, string | undefined>>,
  }))
  const bad = found.filter(({ output }) => output['reason'] !== 'ok')
  if (bad.length === 0) return { state: 'complete', message: found.map(({ output }) => soundnessOf(output)).join('; ') }
  const message = bad.map(({ repository, output }) => `repository ${repository} ${problemOf(output)}`).join('; ')
  const disproved = bad.some(({ output }) => output['reason'] === 'damaged' || output['reason'] === 'absent')
  return { state: 'failed', message, disproved }
}

function soundnessOf({ readBytes = '0', packs = '0' }: Readonly<Record<string, string | undefined>>): string {
  return `${readBytes} bytes read, ${packs} packs known`
}

function problemOf({ reason, findings = '' }: Readonly<Record<string, string | undefined>>): string {
  switch (reason) {
    case 'damaged':
      return `is damaged: ${findings.replaceAll('\n', '; ')}`
    case 'absent':
      return 'is gone'
    case 'wrongKey':
      return 'opens by no key that this installation has'
    default:
      return `could not be read: ${reason ?? 'no reason was given'}`
  }
}
