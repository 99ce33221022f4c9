import type { Artifact, Artifacts } from '../api/artifact.ts'
import type { TemplateLanguage } from '../api/blueprint.ts'
import type { ObjectReference } from '../api/object-reference.ts'
import type { TemplateParams } from '../template/variables.ts'
import type { ConditionLanguage } from '../template/wait.ts'

export interface RenderScope {
  readonly language: TemplateLanguage
  readonly params: TemplateParams
  /** Hex; random choices of templates come from it, so that a resume renders the same. */
  readonly seed: string
}

/** Rendering as the engine needs it. Errors carry Kanister's text (`Failed to render template: "nope" not found`). */
export interface Renderer {
  text(template: string, scope: RenderScope): Promise<string>
  /** Every text at any depth, and keys of nested maps; other values stay. */
  args(args: Readonly<Record<string, unknown>>, scope: RenderScope): Promise<Record<string, unknown>>
  /** Every text of each reference. */
  references(refs: Readonly<Record<string, ObjectReference>>, scope: RenderScope): Promise<Record<string, ObjectReference>>
  artifacts(templates: Readonly<Record<string, Artifact>>, scope: RenderScope): Promise<Artifacts>
  /** The test that a condition of Wait or WaitV2 puts to an object. Throws TEMPLATE_PARSE; the test throws TEMPLATE_*. */
  condition(language: ConditionLanguage, condition: string, scope: RenderScope): (object: unknown) => boolean
}
