import type { PhaseOutputs } from '../functions/define.ts'
import type { Run, RunFailure } from '../api/run.ts'
import { HoldfastError, messageOf } from '../base/errors.ts'
import { runError } from './errors.ts'

/**
 * etcd keeps 1.5 MB an object, and a Run holds the ActionSet, the Blueprint's actions, the inputs and the outputs of all
 * actions. What can grow is bounded here, so that a write never fails because the journal is full.
 */
export const limits = {
  /** A whole Run as JSON; the rest up to etcd's limit is for metadata, texts and what several actions add at one time. */
  runBytes: 1_200_000,
  /** What a Run starts as: the ActionSet's actions, each with its Blueprint's. */
  specBytes: 900_000,
  /** Outputs of all phases of a Run, as JSON. */
  outputsBytes: 512 * 1024,
  /** Frozen inputs of one action. */
  inputsBytes: 384 * 1024,
  checkpointBytes: 64 * 1024,
  /** An error text or a warning. */
  textBytes: 8 * 1024,
} as const

/** A function's outputs as the Run keeps them. Throws RUN_BAD_OUTPUT or RUN_TOO_LARGE. */
export function checkOutputs(outputs: PhaseOutputs | undefined, run: Pick<Run, 'spec' | 'status'>): PhaseOutputs | undefined {
  if (outputs === undefined) return undefined
  const text = toJson(outputs)
  const others = Object.values(run.status.actions)
    .flatMap((action) => [...action.phases, action.deferPhase])
    .reduce((sum, phase) => sum + (phase?.output ? Buffer.byteLength(JSON.stringify(phase.output)) : 0), 0)
  const total = others + Buffer.byteLength(text)
  if (total > limits.outputsBytes) {
    throw runError(
      'RUN_TOO_LARGE',
      `the outputs of this run are ${total} bytes, more than the ${limits.outputsBytes} that an ActionSet can keep; ` +
        'report names and numbers, and push data to the location instead',
    )
  }
  checkWhole(run, Buffer.byteLength(text), 'the outputs of this phase')
  return JSON.parse(text) as PhaseOutputs
}

/** Rendered artifacts may repeat outputs any number of times. Throws RUN_TOO_LARGE. */
export function checkArtifacts(artifacts: unknown, run: Pick<Run, 'spec' | 'status'>): void {
  checkWhole(run, sizeOf(artifacts), 'the artifacts of this action')
}

/** What is wrong with the size of what a Run is to be made of. */
export function findTooLarge(actions: unknown): string | undefined {
  const size = sizeOf(actions)
  if (size <= limits.specBytes) return undefined
  return (
    `the actions of this ActionSet, with those of their Blueprints, are ${size} bytes, more than the ${limits.specBytes} that a ` +
    'Run can keep; make several ActionSets of it, or give large texts by ConfigMap or Secret'
  )
}

function checkWhole(run: Pick<Run, 'spec' | 'status'>, addedBytes: number, what: string): void {
  const total = sizeOf(run.spec) + sizeOf(run.status) + addedBytes
  if (total <= limits.runBytes) return
  throw runError(
    'RUN_TOO_LARGE',
    `with ${what} (${addedBytes} bytes) this run would be ${total} bytes, more than the ${limits.runBytes} that can be kept; ` +
      'report names and numbers, and push data to the location instead',
  )
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '')
}

export function checkInputs(inputs: unknown, run: Pick<Run, 'spec' | 'status'>): void {
  const size = sizeOf(inputs)
  if (size <= limits.inputsBytes) return checkWhole(run, size, 'the object and ConfigMaps of this action')
  throw runError(
    'RUN_TOO_LARGE',
    `the object and ConfigMaps of this action are ${size} bytes, more than the ${limits.inputsBytes} that a Run can keep`,
  )
}

export function checkCheckpoint(checkpoint: unknown): unknown {
  const text = checkpointText(checkpoint)
  if (Buffer.byteLength(text) <= limits.checkpointBytes) return JSON.parse(text) as unknown
  throw runError('RUN_TOO_LARGE', `a checkpoint of ${Buffer.byteLength(text)} bytes does not fit into the Run`)
}

function checkpointText(checkpoint: unknown): string {
  try {
    return JSON.stringify(checkpoint) ?? 'null'
  } catch (error) {
    throw runError('RUN_BAD_OUTPUT', `a checkpoint is no JSON: ${messageOf(error)}`, { cause: error })
  }
}

/** Any failure as the Run keeps it. */
export function failureOf(error: unknown): RunFailure {
  const code = error instanceof HoldfastError ? error.code : undefined
  return { message: clip(messageOf(error)), ...(code ? { code } : {}) }
}

/** The end of a long text says more than its beginning: command output comes last. */
export function clip(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= limits.textBytes) return text
  const half = limits.textBytes / 2
  return `${bytes
    .subarray(0, half)
    .toString()
    .replace(/\uFFFD$/, '')} … ${bytes
    .subarray(-half)
    .toString()
    .replace(/^\uFFFD+/, '')}`
}

function toJson(outputs: PhaseOutputs): string {
  let text: string | undefined
  try {
    text = JSON.stringify(outputs)
  } catch (error) {
    throw runError('RUN_BAD_OUTPUT', `the function reported outputs that are no JSON: ${messageOf(error)}`, { cause: error })
  }
  if (text?.startsWith('{')) return text
  throw runError('RUN_BAD_OUTPUT', 'the function reported outputs that are not a map of names to values')
}
