import { objectMetadataNames } from '../../template/context-paths.ts'
import { nearestNames } from '../../template/nearest.ts'
import type { UsedPath } from '../../template/template-uses.ts'
import { didYouMean } from '../finding.ts'
import type { TemplateText } from '../template-texts.ts'
import type { UseProblem } from './use-problem.ts'

const objectFields = [
  'apiVersion',
  'kind',
  'metadata',
  'spec',
  'status',
  'data',
  'stringData',
  'binaryData',
  'type',
  'immutable',
]

/** Fields of the specs of workloads that Blueprints look at; any that resembles none of them may exist. */
const workloadSpec = [
  'replicas',
  'selector',
  'template',
  'serviceName',
  'volumeClaimTemplates',
  'strategy',
  'updateStrategy',
  'podManagementPolicy',
  'minReadySeconds',
  'revisionHistoryLimit',
  'progressDeadlineSeconds',
  'persistentVolumeClaimRetentionPolicy',
  'ordinals',
  'paused',
  'triggers',
]

/** `.Object`: as the API server gives it. Fields that every object has are known, others only where they resemble one that is. */
export function checkObjectUse(use: UsedPath, template: TemplateText): readonly UseProblem[] {
  const [root, field, name] = use.parts
  if (root !== 'Object' || field === undefined || field === '*') return []
  if (!objectFields.includes(field)) return misspelt('an object', field, objectFields)
  if (name === undefined || name === '*') return []
  if (field === 'metadata' && !objectMetadataNames.includes(name)) {
    const near = nearestNames(name, objectMetadataNames, 1)
    const offer = near.length > 0 ? didYouMean(near) : ' (names are those of the JSON: .Object.metadata.name)'
    return [{ severity: 'error', code: 'LINT_VARIABLE', message: `metadata of an object has no "${name}"${offer}` }]
  }
  const { kind = '' } = template.action
  const isWorkload = ['statefulset', 'deployment', 'deploymentconfig'].includes(kind)
  if (field !== 'spec' || !isWorkload || workloadSpec.includes(name)) return []
  return misspelt(`the spec of a ${kind}`, name, workloadSpec)
}

function misspelt(holder: string, name: string, names: readonly string[]): readonly UseProblem[] {
  const near = nearestNames(name, names, 1)
  if (near.length === 0) return []
  return [{ severity: 'error', code: 'LINT_VARIABLE', message: `${holder} has no "${name}"${didYouMean(near)}` }]
}
