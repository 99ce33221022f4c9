import { analyseTemplate, type TemplateAnalysis } from '../template/analysis.ts'
import { functionLibrary } from '../template/functions/registry.ts'
import { type ActionFacts, allPhases, type BlueprintFacts, isMap, type PhaseFacts } from './blueprint-facts.ts'
import type { Path, Spot } from './finding.ts'

/** A text that the engine renders, and what is known of the moment when it does. */
export interface TemplateText {
  readonly text: string
  readonly path: Path
  /** A key of a nested map is a template too. */
  readonly isKey: boolean
  readonly action: ActionFacts
  readonly role: 'args' | 'objects' | 'artifacts'
  /** Absent for artifacts. */
  readonly phase?: PhaseFacts
  /** Name of the argument it is in, or is. */
  readonly arg?: string
  readonly analysis: TemplateAnalysis
}

/** Where in a text a template's own line and column lead; a key is shown as a whole. */
export function spotIn(template: TemplateText, place: Exclude<Spot, string>): Spot {
  return template.isKey ? 'key' : place
}

type Origin = Pick<TemplateText, 'action' | 'role' | 'phase' | 'arg'>

/** All templates of a Blueprint, in the order they stand there. Conditions of Wait are over another context and not among them. */
export function templateTexts(facts: BlueprintFacts): readonly TemplateText[] {
  const found: TemplateText[] = []
  const add = (text: string, path: Path, isKey: boolean, origin: Origin): void => {
    if (!text.includes('{{') && !text.includes('}}')) return
    const analysis = analyseTemplate(text, facts.language, functionLibrary)
    found.push({ text, path, isKey, ...origin, analysis })
  }
  const walk = (value: unknown, path: Path, origin: Origin): void => {
    if (typeof value === 'string') add(value, path, false, origin)
    if (Array.isArray(value)) value.forEach((item, index) => walk(item, [...path, index], origin))
    if (!isMap(value)) return
    for (const [key, item] of Object.entries(value)) {
      if (key === 'condition' && origin.phase?.found.fn?.rendersItself) continue
      add(key, [...path, key], true, origin)
      walk(item, [...path, key], origin)
    }
  }
  for (const action of facts.actions) {
    for (const phase of allPhases(action)) {
      walk(phase.objects, [...phase.path, 'objects'], { action, phase, role: 'objects' })
      for (const { name, value, path } of argEntries(phase)) walk(value, path, { action, phase, role: 'args', arg: name })
    }
    for (const artifact of action.outputs) {
      walk(artifact.keyValue, [...artifact.path, 'keyValue'], { action, role: 'artifacts' })
      walk(artifact.kopiaSnapshot, [...artifact.path, 'kopiaSnapshot'], { action, role: 'artifacts' })
    }
  }
  return found
}

export interface ArgEntry {
  /** The argument's own name, whatever spelling was used. */
  readonly name: string
  readonly value: unknown
  readonly path: Path
}

/** Arguments of a phase by name, those of the positional form of 2018 too. */
export function argEntries(phase: PhaseFacts): readonly ArgEntry[] {
  const { args, path, found } = phase
  if (Array.isArray(args)) {
    const order = found.fn?.positional ?? []
    return args.map((value: unknown, index) => ({
      name: order[Math.min(index, order.length - 1)] ?? '',
      value,
      path: [...path, 'args', index],
    }))
  }
  if (!isMap(args)) return []
  return Object.entries(args).map(([key, value]) => ({
    name: found.fn?.aliases?.[key] ?? key,
    value,
    path: [...path, 'args', key],
  }))
}
