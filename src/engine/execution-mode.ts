import { executionModes, type ActionSet } from '../api/actionset.ts'
import { fieldAnnotations } from '../api/names.ts'

type ExecutionMode = (typeof executionModes)[number]

/** How an ActionSet wants its actions run: by its field, else by the annotation of the same meaning. */
export interface ExecutionModeRequest {
  /** Absent: as in Kanister, side by side. */
  readonly mode?: ExecutionMode
  /** What cannot be read, for people. Of a field the API server has checked it. */
  readonly finding?: string
}

export function readExecutionMode({ metadata, spec }: Pick<ActionSet, 'metadata' | 'spec'>): ExecutionModeRequest {
  if (spec?.executionMode) return { mode: spec.executionMode }
  const annotation = fieldAnnotations.executionMode
  const given = metadata.annotations?.[annotation]
  if (given === undefined) return {}
  const mode = executionModes.find((known) => known === given)
  return mode
    ? { mode }
    : { finding: `annotation ${annotation} "${given.slice(0, 60)}" is none of ${executionModes.join(', ')}` }
}
