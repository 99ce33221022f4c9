import type { BlueprintFacts } from './blueprint-facts.ts'
import type { Draft } from './finding.ts'
import type { TemplateText } from './template-texts.ts'

/** One kind of mistake: everything of it in a Blueprint. Pure. */
export type LintRule = (facts: BlueprintFacts, templates: readonly TemplateText[]) => readonly Draft[]
