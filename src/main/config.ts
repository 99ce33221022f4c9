import type { ObjectReference } from '../api/object-reference.ts'
import { defineErrors } from '../base/errors.ts'
import { parseGoDuration } from '../base/go-duration.ts'

export const configError = defineErrors({
  CONFIG_INVALID: { next: 'stop', exit: 2, summary: 'A setting cannot be used as it is.' },
})

/** One setting of the processes: read once at start, from the environment. */
export interface Setting<T> {
  readonly env: readonly [string, ...string[]]
  readonly description: string
  /** As text, for the page; what `parse` gives for undefined. */
  readonly fallback: string
  parse(value: string | undefined): T
}

const text =
  (fallback = ''): ((value: string | undefined) => string) =>
  (value) =>
    value === undefined || value === '' ? fallback : value

const words = (value: string | undefined): string[] => (value ?? '').split(/[\s,]+/).filter((word) => word !== '')

const count =
  (fallback: number, limits: { readonly min: number; readonly max: number }): ((value: string | undefined) => number) =>
  (value) => {
    if (value === undefined || value === '') return fallback
    const number = Number(value)
    if (!Number.isInteger(number) || number < limits.min || number > limits.max) {
      throw configError('CONFIG_INVALID', `"${value}" is no whole number from ${limits.min} to ${limits.max}`)
    }
    return number
  }

const maybeCount = (value: string | undefined): number | undefined =>
  value === undefined || value === '' ? undefined : count(0, { min: 0, max: 1_000_000 })(value)

const duration = (value: string | undefined): number | undefined => {
  if (value === undefined || value === '') return undefined
  const ms = parseGoDuration(value)
  if (ms === undefined) throw configError('CONFIG_INVALID', `"${value}" is no duration; write it as 30m or 24h`)
  return ms
}

/** `namespace/name` */
const reference = (value: string | undefined): ObjectReference | undefined => {
  if (value === undefined || value === '') return undefined
  const [namespace, name, ...rest] = value.split('/')
  if (!namespace || !name || rest.length > 0) {
    throw configError('CONFIG_INVALID', `"${value}" names no Profile; write it as namespace/name`)
  }
  return { namespace, name }
}

/** Kanister takes "true" to the letter here. */
const onlyTrue = (value: string | undefined): boolean => value === 'true'

function setting<T>(
  env: string | readonly [string, ...string[]],
  description: string,
  fallback: string,
  parse: (value: string | undefined) => T,
): Setting<T> {
  return { env: typeof env === 'string' ? [env] : env, description, fallback, parse }
}

/** Every setting. Names that Kanister has keep their meaning. Where two names stand, the first one that is set counts. */
export const settings = {
  namespace: setting(
    'POD_NAMESPACE',
    'Namespace of the engine; its ActionSets are acted on.',
    'that of the pod or context',
    text(),
  ),
  watchNamespaces: setting(
    'WATCH_NAMESPACES',
    'Further namespaces whose ActionSets are acted on, comma separated.',
    'none',
    words,
  ),
  redisUrl: setting('REDIS_URL', 'Redis of the queue.', 'redis://127.0.0.1:6379', text('redis://127.0.0.1:6379')),
  workerName: setting(
    ['HOLDFAST_WORKER_NAME', 'POD_NAME', 'HOSTNAME'],
    'Stable name of this worker: a process that starts again under it goes on with its own runs at once.',
    'the host name',
    text('holdfast'),
  ),
  concurrency: setting(
    'HOLDFAST_CONCURRENCY',
    'Actions that one worker runs at a time.',
    '16',
    count(16, { min: 1, max: 1000 }),
  ),
  namespaceConcurrency: setting(
    'HOLDFAST_NAMESPACE_CONCURRENCY',
    'ActionSets of one namespace that are under way at a time; 0: no limit of its own.',
    '0',
    count(0, { min: 0, max: 100_000 }),
  ),
  verificationsAtOnce: setting(
    'HOLDFAST_VERIFICATIONS',
    'Verifications of one namespace that are under way at a time: each holds a copy of an application.',
    '1',
    count(1, { min: 1, max: 100 }),
  ),
  queueTimeoutMs: setting(
    'HOLDFAST_QUEUE_TIMEOUT',
    'How long an ActionSet waits for an object that another works on, as 30m or 24h, unless it says otherwise.',
    '24h',
    (value) => duration(value) ?? 24 * 3_600_000,
  ),
  ttlAfterFinishedMs: setting(
    'HOLDFAST_TTL_AFTER_FINISHED',
    'How long ActionSets are kept after their end, as 720h, unless they say otherwise; never shorter than they are the only record of a backup.',
    'for ever',
    duration,
  ),
  defaultProfile: setting(
    'HOLDFAST_DEFAULT_PROFILE',
    'Profile, as namespace/name, at whose location backups are catalogued whose ActionSet names none; without it their status says `not catalogued`.',
    'none',
    reference,
  ),
  keepComplete: setting(
    'HOLDFAST_KEEP_COMPLETE',
    'Complete ActionSets without artifacts to keep per namespace and Blueprint.',
    'all',
    maybeCount,
  ),
  keepFailed: setting('HOLDFAST_KEEP_FAILED', 'Failed ActionSets to keep per namespace and Blueprint.', 'all', maybeCount),
  serviceAccount: setting(
    'POD_SERVICE_ACCOUNT',
    'Service account for job pods in the namespace of the engine.',
    'none',
    text(),
  ),
  image: setting(
    ['HOLDFAST_IMAGE', 'KANISTER_TOOLS'],
    'Image of the pods that functions make when the Blueprint names none.',
    'holdfast/holdfast:0.1.0',
    text('holdfast/holdfast:0.1.0'),
  ),
  secureDefaults: setting(
    'SECURE_DEFAULTS_FOR_JOB_PODS',
    'true: job pods run as the default service account, without its token.',
    'false',
    onlyTrue,
  ),
  podReadyTimeoutMs: setting(
    ['TIMEOUT_WORKER_POD_READY', 'KANISTER_POD_READY_WAIT_TIMEOUT'],
    'Minutes that a job pod has to start.',
    '15',
    (value) => count(15, { min: 1, max: 100_000 })(value) * 60_000,
  ),
  logLevel: setting('LOG_LEVEL', 'error, warn, info or debug.', 'info', text('info')),
  healthPort: setting(
    'HEALTH_CHECK_PORT',
    'Port of /v0/healthz, /v0/readyz and /metrics; 0 takes a free one.',
    '8000',
    count(8000, { min: 0, max: 65_535 }),
  ),
  webhookPort: setting(
    // Not …_WEBHOOK_PORT: a Service of that name makes Kubernetes put its address there.
    'HOLDFAST_ADMISSION_PORT',
    'Port on which the operator checks Blueprints for the API server, over TLS; 0: Blueprints are not checked at admission.',
    '0; the manifest says 9443',
    count(0, { min: 0, max: 65_535 }),
  ),
  livenessPath: setting('LIVENESS_PATH', 'Path that tells that the process lives.', '/v0/healthz', text('/v0/healthz')),
  readinessPath: setting('READINESS_PATH', 'Path that tells that the process works.', '/v0/readyz', text('/v0/readyz')),
  kubeContext: setting('HOLDFAST_CONTEXT', 'Context of the kubeconfig, when not running in a pod.', 'the current one', text()),
} as const

export type Config = { readonly [Name in keyof typeof settings]: ReturnType<(typeof settings)[Name]['parse']> }

/** Reads every setting from `env`. Throws CONFIG_INVALID naming the variable. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const entries = Object.entries(settings as Record<string, Setting<unknown>>).map(([name, row]) => {
    const variable = row.env.find((candidate) => env[candidate] !== undefined && env[candidate] !== '')
    try {
      return [name, row.parse(variable === undefined ? undefined : env[variable])]
    } catch (error) {
      throw configError('CONFIG_INVALID', `${variable}: ${(error as Error).message}`, { cause: error })
    }
  })
  // Each entry was made by the parser of its own row.
  return Object.fromEntries(entries) as Config
}

/** The table of settings for people. */
export function describeSettings(): string {
  const rows = Object.values(settings as Record<string, Setting<unknown>>).map(
    (row) => `| ${row.env.map((name) => `\`${name}\``).join(', ')} | ${row.description} | ${row.fallback} |`,
  )
  return ['| variable | meaning | default |', '| --- | --- | --- |', ...rows].join('\n')
}
