import type { Artifacts } from '../../src/api/artifact.ts'
import type { ObjectReference } from '../../src/api/object-reference.ts'
import type { Renderer, RenderScope } from '../../src/engine/renderer.ts'

/** Renders `{{ .A.b.c }}` and nothing else: for tests of the engine that are not about templates. */
export const plainRenderer: Renderer = {
  text: async (template, scope) => render(template, scope),
  args: async (args, scope) => walk(args, scope) as Record<string, unknown>,
  references: async (refs, scope) => walk(refs, scope) as Record<string, ObjectReference>,
  artifacts: async (templates, scope) => walk(templates, scope) as Artifacts,
  condition: () => {
    throw new Error('no conditions in this test')
  },
}

function walk(value: unknown, scope: RenderScope): unknown {
  if (typeof value === 'string') return render(value, scope)
  if (Array.isArray(value)) return value.map((item) => walk(item, scope))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner, scope)]))
}

function render(template: string, { params }: RenderScope): string {
  return template.replace(/\{\{\s*\.([\w.]+)\s*\}\}/g, (_, path: string) => {
    const value = path.split('.').reduce<unknown>((at, part) => lookUp(at, part), params)
    return String(value)
  })
}

function lookUp(at: unknown, part: string): unknown {
  if (typeof at === 'object' && at !== null && part in at) return (at as Record<string, unknown>)[part]
  throw new Error(`Failed to render template: "${part}" not found`)
}
