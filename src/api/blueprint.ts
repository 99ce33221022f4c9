import { anything, flag, list, map, object, oneOf, optional, text, type TypeOf } from '../schema/build.ts'
import { Artifact } from './artifact.ts'
import { defineKind, type StoredMeta } from './kind.ts'
import { names } from './names.ts'
import { ObjectReference } from './object-reference.ts'
import { resumeAnswers, RetryPolicy } from './phase-policy.ts'

export const BlueprintPhase = object(
  {
    func: optional(text('Name of the phase function; case matters.')),
    name: optional(text('Name of the phase, the key of .Phases.')),
    objects: optional(
      map(ObjectReference, 'Secrets and ConfigMaps of this phase, by a name of your own; every text is a template.'),
    ),
    suspend: optional(flag('true: the action waits before this phase until a person approves it.')),
    timeout: optional(text('Longest time of one try, as a Go duration. The setting of the engine when absent.')),
    retry: optional(RetryPolicy),
    resume: optional(
      oneOf(resumeAnswers, "What to do when the engine died while the phase ran. The function's own answer when absent."),
    ),
    args: optional(anything('Arguments of the function; every text is a template. The list form of 2018 is accepted.')),
  },
  'One step of an action.',
)
export type BlueprintPhase = TypeOf<typeof BlueprintPhase>

export const BlueprintAction = object(
  {
    name: optional(text('Not read; the key of the map names the action.')),
    kind: optional(text('Kind of object this action is meant for; documentation.')),
    type: optional(text('Spelling of kind in Blueprints of 2018; documentation.')),
    configMapNames: optional(list(text('Name.'), 'ConfigMaps that the ActionSet is expected to name; documentation.')),
    secretNames: optional(list(text('Name.'), 'Secrets that the ActionSet is expected to name; documentation.')),
    inputArtifactNames: optional(list(text('Name.'), 'Artifacts that the ActionSet is expected to bring; documentation.')),
    outputArtifacts: optional(map(Artifact, 'Artifacts of this action; values are templates, rendered at the end.')),
    timeout: optional(text('Longest time of all its phases together, as a Go duration. The deferred phase has its own.')),
    retry: optional(RetryPolicy),
    phases: optional(list(BlueprintPhase, 'Steps, run in this order.')),
    deferPhase: optional(BlueprintPhase),
  },
  'A named action: phases, and what they leave.',
)
export type BlueprintAction = TypeOf<typeof BlueprintAction>

export const templateLanguages = ['GoTemplate', 'Handlebars'] as const
export type TemplateLanguage = (typeof templateLanguages)[number]

export const BlueprintBody = object({
  templateLanguage: optional(
    oneOf(templateLanguages, 'Language of the templates. GoTemplate, as Kanister has it, when absent.'),
  ),
  actions: optional(map(BlueprintAction, 'Actions by name.')),
})

export const blueprintKind = defineKind({
  group: names.kanisterGroup,
  version: names.version,
  kind: 'Blueprint',
  plural: 'blueprints',
  singular: 'blueprint',
  description: 'How one kind of application is backed up, restored and deleted.',
  schema: BlueprintBody,
  columns: [],
})

export type Blueprint = TypeOf<typeof BlueprintBody> & {
  readonly apiVersion: string
  readonly kind: 'Blueprint'
  readonly metadata: StoredMeta
}
