import { randomBytes } from 'node:crypto'
import { goJson } from '../../base/go-json.ts'
import { cliError } from '../errors.ts'

// Blueprints for Kopia servers push to one fixed path, take a snapshot's JSON from `--output-name`, and give it back by
// `--kopia-snapshot`. In a location that is no Kopia server a push that asks for such a JSON gets a place of its own below the path, so
// that the next one does not replace it, and the JSON names that place. Kanister ignores both flags there, and the artifact of such a
// Blueprint then fails to render.

export interface NamedSnapshot {
  readonly id: string
  /** Below the path that was given. */
  readonly path: string
}

/** A new place below the path. */
export function newSnapshot(path: string): NamedSnapshot {
  return placeOf(path, randomBytes(16).toString('hex'))
}

/** The JSON that the push of a Kopia snapshot prints. */
export function renderSnapshot({ id }: NamedSnapshot, sizeBytes: number): string {
  return goJson({ id, logicalSize: sizeBytes, physicalSize: sizeBytes })
}

/** The place that the JSON of an earlier push names. */
export function parseSnapshot(path: string, json: string): NamedSnapshot {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw badSnapshot('is not JSON')
  }
  const id = (value as { readonly id?: unknown } | null)?.id
  if (typeof id !== 'string') throw badSnapshot('has no id')
  // Part of a key: nothing that could lead elsewhere.
  if (!/^[0-9A-Za-z]{1,64}$/.test(id)) throw badSnapshot('has an id that no push gives')
  return placeOf(path, id)
}

function placeOf(path: string, id: string): NamedSnapshot {
  return { id, path: `${path}/${id}` }
}

function badSnapshot(fact: string): unknown {
  return cliError('CLI_USAGE', `what --kopia-snapshot was given ${fact}: give the output of the push, {"id": …}`)
}
