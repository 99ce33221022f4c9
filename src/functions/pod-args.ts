import { freeObject, map, optional, text } from '../schema/build.ts'

/** Arguments of every function that makes a pod. */
export const podArgs = {
  podOverride: optional(
    freeObject(
      'A fragment of a PodSpec, merged into the pod as a strategic merge patch. The main container is called `container`. The podOverride of the ActionSet wins over this one.',
    ),
  ),
  podLabels: optional(map(text('Value.'), 'Labels of the pod; they win over those of the ActionSet.')),
  podAnnotations: optional(map(text('Value.'), 'Annotations of the pod; they win over those of the ActionSet.')),
} as const

/** What those arguments decode to. */
export interface PodArgs {
  readonly podOverride?: Readonly<Record<string, unknown>>
  readonly podLabels?: Readonly<Record<string, string>>
  readonly podAnnotations?: Readonly<Record<string, string>>
}
