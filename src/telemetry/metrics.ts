import { Counter, Gauge, Histogram, Registry } from 'prom-client'

interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  /** Values that are there, at 0, from the start: an alert on a series that does not exist never fires. */
  readonly initial?: readonly Readonly<Record<string, string>>[]
  readonly buckets?: readonly number[]
}

/** Every metric, declared once. Labels have few values, never names or UIDs. */
export const metricRows = {
  kanister_action_set_resolutions_total: {
    type: 'counter',
    help: 'Actions that ended, by how (the name is Kanister’s).',
    labels: ['resolution'],
    initial: [{ resolution: 'success' }, { resolution: 'failure' }],
  },
  holdfast_phase_seconds: {
    type: 'histogram',
    help: 'Time that phases took, by function and state.',
    labels: ['function', 'state'],
    buckets: [0.05, 0.25, 1, 5, 30, 120, 600, 3600, 14_400],
  },
  holdfast_runs_active: { type: 'gauge', help: 'Actions that this worker runs now.', labels: [] },
  holdfast_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When an action last succeeded, by name of the action.',
    labels: ['action'],
  },
} as const satisfies Record<string, MetricRow>

export type MetricName = keyof typeof metricRows

export interface Metrics {
  inc(name: MetricName, labels?: Readonly<Record<string, string>>): void
  set(name: MetricName, value: number, labels?: Readonly<Record<string, string>>): void
  observe(name: MetricName, value: number, labels?: Readonly<Record<string, string>>): void
  /** In the text form of Prometheus. */
  text(): Promise<string>
}

/** A registry of its own per process: nothing global. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const made = new Map<string, Counter | Gauge | Histogram>()
  for (const [name, row] of Object.entries(metricRows as Record<string, MetricRow>))
    made.set(name, register(registry, name, row))
  return {
    inc: (name, labels = {}) => (made.get(name) as Counter).inc(labels),
    set: (name, value, labels = {}) => (made.get(name) as Gauge).set(labels, value),
    observe: (name, value, labels = {}) => (made.get(name) as Histogram).observe(labels, value),
    text: () => registry.metrics(),
  }
}

function register(registry: Registry, name: string, row: MetricRow): Counter | Gauge | Histogram {
  const common = { name, help: row.help, labelNames: [...row.labels], registers: [registry] }
  if (row.type === 'histogram') return new Histogram({ ...common, ...(row.buckets ? { buckets: [...row.buckets] } : {}) })
  if (row.type === 'gauge') return new Gauge(common)
  const counter = new Counter(common)
  for (const labels of row.initial ?? []) counter.inc(labels, 0)
  return counter
}
