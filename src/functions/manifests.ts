import { LineCounter, parseAllDocuments, type Tags } from 'yaml'
import type { Unstructured } from '../kube/objects.ts'
import { functionError } from './errors.ts'

/** An object on its way to the server, with what every object must have. */
export interface Manifest extends Unstructured {
  readonly apiVersion: string
  readonly kind: string
}

/** The objects of a YAML or JSON text: its documents in order, lists taken apart, empty documents left out. FUNCTION_BAD_ARGS. */
export function parseManifests(text: string): Manifest[] {
  return parseYaml(text).flatMap(flatten)
}

/** The values of a text's documents. Messages say where the fault is and do not quote the text: it may hold a secret. */
export function parseYaml(text: string): unknown[] {
  const lineCounter = new LineCounter()
  const documents = parseAllDocuments(text, { ...dialect, prettyErrors: false, lineCounter })
  if (!Array.isArray(documents)) return []
  return documents.map((document) => {
    const [fault] = document.errors
    if (!fault) return document.toJS() as unknown
    const { line, col } = lineCounter.linePos(fault.pos[0])
    throw functionError('FUNCTION_BAD_ARGS', `spec is no YAML: ${fault.code} in line ${line}, column ${col}`)
  })
}

/**
 * YAML as kubectl reads it: version 1.1 (`defaultMode: 0644` is octal, `yes` is true), but for times and numbers with colons, which stay
 * text; of a repeated key the last counts.
 */
const dialect = {
  version: '1.1',
  uniqueKeys: false,
  customTags: (tags: Tags): Tags =>
    tags.filter((tag) => typeof tag === 'string' || (tag.format !== 'TIME' && tag.tag !== 'tag:yaml.org,2002:timestamp')),
} as const

function flatten(value: unknown): Manifest[] {
  if (value === null || value === undefined) return []
  const object = asManifest(value)
  const { items } = object
  return object.kind.endsWith('List') && Array.isArray(items) ? items.flatMap(flatten) : [object]
}

function asManifest(value: unknown): Manifest {
  const { apiVersion, kind } = (typeof value === 'object' ? value : {}) as Partial<Manifest>
  if (typeof apiVersion === 'string' && typeof kind === 'string') return value as Manifest // both fields were looked at
  throw functionError(
    'FUNCTION_BAD_ARGS',
    'spec holds a document that is no object of Kubernetes: it needs apiVersion and kind',
  )
}
