import type { GoValue } from '../go/value.ts'
import type { DialectRenderer } from '../render.ts'
import { TemplateCache } from '../template-cache.ts'
import { failure } from './failure.ts'
import { isFunction, unknownFunction } from './function-call.ts'
import { renderHandlebars } from './interpreter.ts'
import { parseHandlebars } from './parse.ts'
import type { HandlebarsOptions } from './run.ts'
import type { HandlebarsTree } from './tree.ts'
import { usesOf } from './uses.ts'

/** The Handlebars dialect as the renderer of templates wants it: parsed once, kept by content. */
export class HandlebarsRenderer implements DialectRenderer {
  readonly #parsed = new TemplateCache<HandlebarsTree>()

  render(text: string, data: GoValue, options: HandlebarsOptions): string {
    // Most arguments of a Blueprint hold no template at all.
    if (!text.includes('{{')) return text
    const tree = this.#parsed.get(text, () => parseChecked(text, options))
    return renderHandlebars(tree, data, options)
  }
}

/** A function that does not exist is found before anything is rendered, in branches that are not taken too. */
function parseChecked(text: string, options: HandlebarsOptions): HandlebarsTree {
  const tree = parseHandlebars(text)
  for (const { name, place } of usesOf(tree).functions) {
    if (!isFunction(name, options)) throw failure('TEMPLATE_PARSE', text, place, unknownFunction(name, options, `{{${name} `))
  }
  return tree
}
