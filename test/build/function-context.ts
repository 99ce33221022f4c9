import { createHash } from 'node:crypto'
import { systemClock } from '../../src/base/clock.ts'
import type { FunctionContext } from '../../src/functions/context.ts'
import type { PhaseFunction, PhaseOutputs } from '../../src/functions/define.ts'
import { functionError } from '../../src/functions/errors.ts'
import type { Repositories } from '../../src/functions/repositories.ts'
import type { Kube } from '../../src/kube/kube.ts'
import type { TObject } from '../../src/schema/build.ts'
import { decodeWeak } from '../../src/schema/weak.ts'
import type { ObjectStore } from '../../src/store/object-store.ts'
import type { ResolvedProfile } from '../../src/store/profile-json.ts'
import type { Logger } from '../../src/telemetry/logger.ts'
import { functionLibrary } from '../../src/template/functions/registry.ts'
import { TemplateRenderer } from '../../src/template/render.ts'
import type { TemplateParams } from '../../src/template/variables.ts'
import { aRunIdentity, anEngine, podSettings } from './run-identity.ts'

/** What a function said and wrote down, beside the context it was given. */
export interface RecordedContext {
  readonly ctx: FunctionContext
  readonly checkpoints: unknown[]
  readonly warnings: string[]
  /** Lines of tasks. */
  readonly lines: string[]
  readonly progress: object[]
}

export interface ContextParts {
  readonly kube: Kube
  readonly repositories?: Repositories
  readonly profile?: ResolvedProfile
  readonly store?: ObjectStore
  readonly params?: TemplateParams
  readonly signal?: AbortSignal
  readonly resumed?: unknown
  readonly onCheckpoint?: (state: unknown) => Promise<void> | void
  readonly run?: Partial<FunctionContext['run']>
  readonly engine?: Partial<FunctionContext['engine']>
  readonly pods?: Partial<FunctionContext['pods']>
}

const templates = new TemplateRenderer({ library: functionLibrary })

const nowhere: Repositories = {
  openByPrefix: () => Promise.reject(new Error('no repositories in this test')),
  openForNamespace: () => Promise.reject(new Error('no repositories in this test')),
}

export function aFunctionContext(parts: ContextParts): RecordedContext {
  const checkpoints: unknown[] = []
  const warnings: string[] = []
  const lines: string[] = []
  const progress: object[] = []
  const run = aRunIdentity(parts.run)
  const ctx: FunctionContext = {
    kube: parts.kube,
    clock: systemClock,
    log: lineLogger(lines),
    signal: parts.signal ?? new AbortController().signal,
    params: parts.params ?? {},
    run,
    pods: podSettings(parts.pods),
    engine: anEngine(parts.engine),
    profile: () => {
      if (!parts.profile) throw functionError('FUNCTION_NO_PROFILE', 'the action names no Profile')
      return parts.profile
    },
    openStore: () => (parts.store ? Promise.resolve(parts.store) : Promise.reject(new Error('no store in this test'))),
    repositories: parts.repositories ?? nowhere,
    progress: (given) => void progress.push(given),
    confirm: async () => undefined,
    untilAlone: async () => undefined,
    checkpoint: async (state) => {
      checkpoints.push(structuredClone(state))
      await parts.onCheckpoint?.(state)
    },
    afterwards: (work) => void work(),
    resumed: parts.resumed,
    warn: (message) => void warnings.push(message),
    render: async (template) => templates.renderString(template, parts.params ?? {}),
    condition: (language, condition) => {
      templates.checkCondition(language, condition)
      return language === 'Wait'
        ? (object) => templates.renderWaitCondition(condition, object).met
        : (object) => templates.renderWaitV2Condition(condition, object).met
    },
    deriveName: (prefix) => {
      const hash = createHash('sha256').update([run.actionSetUid, run.actionIndex, run.phaseName, run.attempt].join('/'))
      return `${prefix.slice(0, 42)}${hash.digest('hex').slice(0, 20)}`
    },
    earlierNames: () => [],
  }
  return { ctx, checkpoints, warnings, lines, progress }
}

/** Runs a function as the engine does: arguments are read by its schema first. */
export async function runFunction<Args extends TObject>(
  fn: PhaseFunction<Args>,
  ctx: FunctionContext,
  args: Record<string, unknown>,
): Promise<PhaseOutputs | undefined> {
  const { value, findings } = decodeWeak(fn.args, args)
  const problems = findings.map(({ at, message }) => `${at} ${message}`).concat(fn.checkArgs?.(value) ?? [])
  if (problems.length > 0) throw new Error(problems.join('; '))
  return fn.run(ctx, value)
}

function lineLogger(lines: string[]): Logger {
  const keep = (fields: { readonly Out?: string }): void => {
    if (fields.Out !== undefined) lines.push(fields.Out)
  }
  return { error: keep, warn: keep, info: keep, debug: keep, child: () => lineLogger(lines) }
}
