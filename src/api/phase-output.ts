import { goJson } from '../base/go-json.ts'

/**
 * How a command in a pod reports an output: a line holding this marker and a JSON object of `key` and `value`. Written by `kando output`
 * in images of any age, read from logs and from stdout.
 */
export const phaseOutputMarker = '###Phase-output###:'

export interface PhaseOutput {
  readonly key: string
  readonly value: string
}

/** What one line of a command's output holds. */
export interface OutputLine {
  /** The line without its marker part: what the task said. */
  readonly text: string
  readonly output: PhaseOutput | undefined
}

/** The line, without its end, that `kando output` prints. */
export function renderPhaseOutput({ key, value }: PhaseOutput): string {
  return `${phaseOutputMarker} ${goJson({ key, value })}`
}

/**
 * Reads one whole line as Kanister's reader does: what stands before the marker is ordinary text, everything after it must be one JSON
 * object with text values; nothing after it means nothing; `null` is the empty key with an empty value. Throws a plain Error that
 * names the fault and quotes no value.
 */
export function readOutputLine(line: string): OutputLine {
  const at = line.indexOf(phaseOutputMarker)
  if (at < 0) return { text: line, output: undefined }
  const json = line.slice(at + phaseOutputMarker.length).trim()
  return { text: line.slice(0, at), output: json === '' ? undefined : parseOutput(json) }
}

function parseOutput(json: string): PhaseOutput {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    // Not the parser's words: they quote what may be a secret.
    throw new Error(`what follows ${phaseOutputMarker} is not one JSON object up to the end of its line`)
  }
  if (value === null) return { key: '', value: '' }
  if (typeof value !== 'object' || Array.isArray(value))
    throw new Error(`what follows ${phaseOutputMarker} is not a JSON object`)
  return { key: textField(value, 'key'), value: textField(value, 'value') }
}

/** As Go finds a field: the exact name or the same without case, null and absent as empty. */
function textField(object: object, name: string): string {
  const entries = Object.entries(object)
  const [, value] = entries.findLast(([given]) => given.toLowerCase() === name) ?? []
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string')
    throw new Error(`the ${name} of an output must be text, got a ${Array.isArray(value) ? 'list' : typeof value}`)
  return value
}
