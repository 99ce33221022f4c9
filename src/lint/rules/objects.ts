import { allPhases, isMap } from '../blueprint-facts.ts'
import type { Draft } from '../finding.ts'
import type { LintRule } from '../rule.ts'

/** References of phases to Secrets and ConfigMaps: others are silently not read. */
export const checkObjects: LintRule = ({ actions }) =>
  actions.flatMap(allPhases).flatMap((phase) =>
    Object.entries(phase.objects).flatMap(([name, reference]): readonly Draft[] => {
      if (!isMap(reference)) return []
      const path = [...phase.path, 'objects', name]
      const drafts: Draft[] = []
      const { kind } = reference
      if (typeof kind !== 'string' || !isReadKind(kind)) {
        const message = `object "${name}" is of kind ${typeof kind === 'string' ? `"${kind}"` : 'unknown'}: only Secret and ConfigMap are read, it will not be there`
        drafts.push({ severity: 'error', code: 'LINT_OBJECT', message, path: kind === undefined ? path : [...path, 'kind'] })
      }
      if (!reference['name'])
        drafts.push({ severity: 'error', code: 'LINT_OBJECT', message: `object "${name}" has no name`, path })
      if (!reference['namespace']) {
        drafts.push({ severity: 'warning', code: 'LINT_OBJECT', message: `object "${name}" names no namespace`, path })
      }
      return drafts
    }),
  )

function isReadKind(kind: string): boolean {
  return kind.includes('{{') || ['secret', 'configmap'].includes(kind.toLowerCase())
}
