import type { BlueprintAction, TemplateLanguage } from '../api/blueprint.ts'
import { analyseTemplate } from '../template/analysis.ts'
import { functionLibrary } from '../template/functions/registry.ts'
import type { FindFunction } from './plan.ts'

/** Marks in place of the outputs of a phase that has not run: those its function declares, and those that templates ask for. */
export function unknownOutputs(
  action: BlueprintAction,
  language: TemplateLanguage,
  findFunction: FindFunction,
): (phase: string) => Record<string, string> {
  const asked = askedOutputs(action, language)
  const phases = [...(action.phases ?? []), ...(action.deferPhase ? [action.deferPhase] : [])]
  return (name) => {
    const phase = phases.find((candidate) => candidate.name === name)
    const keys = new Set([...declaredOutputs(findFunction, phase?.func ?? ''), ...(asked.get(name) ?? [])])
    return Object.fromEntries([...keys].map((key) => [key, `<output ${key} of phase ${name}>`]))
  }
}

function declaredOutputs(findFunction: FindFunction, func: string): readonly string[] {
  try {
    return Object.keys(findFunction(func, '').outputs)
  } catch {
    // Nobody has it; the phase itself says so.
    return []
  }
}

function askedOutputs(action: BlueprintAction, language: TemplateLanguage): ReadonlyMap<string, ReadonlySet<string>> {
  const asked = new Map<string, Set<string>>()
  for (const text of textsIn([action.phases, action.deferPhase, action.outputArtifacts])) {
    for (const { parts } of analyseTemplate(text, language, functionLibrary).uses?.paths ?? []) {
      const [name, kind, key] = parts[0] === 'DeferPhase' ? [action.deferPhase?.name, parts[1], parts[2]] : parts.slice(1)
      const isOutput = (parts[0] === 'Phases' || parts[0] === 'DeferPhase') && kind === 'Output'
      if (!isOutput || name === undefined || key === undefined || key === '*') continue
      asked.set(name, (asked.get(name) ?? new Set()).add(key))
    }
  }
  return asked
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}
