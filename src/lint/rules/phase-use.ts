import { nearestNames } from '../../template/nearest.ts'
import type { UsedPath } from '../../template/template-uses.ts'
import { allPhases, isMap, type PhaseFacts } from '../blueprint-facts.ts'
import { didYouMean } from '../finding.ts'
import { printedOutputs } from '../printed-outputs.ts'
import type { TemplateText } from '../template-texts.ts'
import type { UseProblem } from './use-problem.ts'

/** `.Phases.x…` and `.DeferPhase…`: the phase has run by then, and gives what is asked for. */
export function checkPhaseUse(use: UsedPath, template: TemplateText): readonly UseProblem[] {
  const [root, ...rest] = use.parts
  if (root !== 'Phases' && root !== 'DeferPhase') return []
  if (template.role === 'objects') {
    return [problem('references to objects are rendered before any phase runs: there are no phases yet')]
  }
  if (root === 'DeferPhase') return checkDeferPhase(use, rest, template)
  const [name, ...field] = rest
  if (name === undefined || name === '*') return []
  const target = allPhases(template.action).find((phase) => phase.name === name && !phase.isDeferred)
  if (!target) return [unknownPhase(use, name, template)]
  const early = checkOrder(use, field, target, template)
  const isCertain = early.some(({ severity }) => severity === 'error')
  return isCertain ? early : [...early, ...checkField(field, target)]
}

function checkDeferPhase(use: UsedPath, field: readonly string[], template: TemplateText): readonly UseProblem[] {
  const { deferPhase } = template.action
  if (!deferPhase) return [problem(`action "${template.action.name}" has no deferred phase`)]
  if (template.role === 'artifacts' || use.isCondition) return checkField(field, deferPhase)
  if (template.phase?.isDeferred && field[0] !== 'Output') return checkField(field, deferPhase)
  return [problem('the deferred phase runs last: only output artifacts see what it gives')]
}

function unknownPhase(use: UsedPath, name: string, template: TemplateText): UseProblem {
  const names = template.action.phases.map((phase) => phase.name)
  if (template.action.deferPhase?.name === name) return problem(`phase "${name}" is the deferred one: it is called .DeferPhase`)
  const near = nearestNames(name, names, 1)
  const offer = near.length > 0 ? didYouMean(near) : `; there are ${names.join(', ')}`
  const said = problem(`action "${template.action.name}" has no phase "${name}"${offer}`)
  return use.isCondition && near.length === 0 ? { ...said, severity: 'warning' } : said
}

function checkOrder(
  use: UsedPath,
  field: readonly string[],
  target: PhaseFacts,
  template: TemplateText,
): readonly UseProblem[] {
  const { phase } = template
  if (!phase) return []
  if (phase.isDeferred) {
    if (field[0] !== 'Output' || use.isOptional || use.isCondition) return []
    const message = `the deferred phase also runs when "${target.name}" has failed: its outputs may not be there`
    return [{ severity: 'warning', code: 'LINT_PHASE_REFERENCE', message }]
  }
  if (target.order > phase.order) {
    return [problem(`phase "${target.name}" runs later than "${phase.name}": it is not there yet`)]
  }
  if (target.order < phase.order || field[0] !== 'Output') return []
  return [problem(`phase "${target.name}" has no outputs before it has run: this is its own argument`)]
}

function checkField(field: readonly string[], target: PhaseFacts): readonly UseProblem[] {
  const [kind, name] = field
  if (name === undefined || name === '*') return []
  if (kind === 'Output') return checkOutput(name, target)
  if (kind === 'Secrets') return checkReference(name, target, 'secret')
  return kind === 'ConfigMaps' ? checkReference(name, target, 'configmap') : []
}

function checkOutput(key: string, target: PhaseFacts): readonly UseProblem[] {
  const { fn } = target.found
  if (!fn) return []
  const fixed = Object.keys(fn.outputs)
  if (fixed.includes(key)) return []
  const printed = fn.reportsMarkers ? printedOutputs(target.args) : { keys: [], mayPrint: () => false }
  if (printed.keys.includes(key)) return []
  const names = [...fixed, ...printed.keys]
  const near = nearestNames(key, names, 1)
  const said = `phase "${target.name}" (${fn.name})`
  if (!fn.reportsMarkers) {
    const offer = near.length > 0 ? didYouMean(near) : names.length > 0 ? `; it has ${names.join(', ')}` : ''
    return [{ severity: 'error', code: 'LINT_OUTPUT', message: `${said} has no output "${key}"${offer}` }]
  }
  if (printed.mayPrint(key)) return []
  const message = `nothing in ${said} prints an output "${key}"${didYouMean(near)}`
  return [{ severity: near.length > 0 ? 'error' : 'warning', code: 'LINT_OUTPUT', message }]
}

function checkReference(name: string, target: PhaseFacts, kind: 'secret' | 'configmap'): readonly UseProblem[] {
  const known = Object.entries(target.objects).flatMap(([key, reference]) => {
    const given = isMap(reference) ? reference['kind'] : undefined
    const said = typeof given === 'string' ? given.toLowerCase() : ''
    return said === kind || said.includes('{{') ? [key] : []
  })
  if (known.includes(name)) return []
  const near = nearestNames(name, known, 1)
  const message = `phase "${target.name}" declares no ${kind === 'secret' ? 'Secret' : 'ConfigMap'} "${name}" in its objects${didYouMean(near)}`
  return [{ severity: 'error', code: 'LINT_OBJECT', message }]
}

function problem(message: string): UseProblem {
  return { severity: 'error', code: 'LINT_PHASE_REFERENCE', message }
}
