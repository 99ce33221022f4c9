import { Counter, Gauge, Histogram, Registry } from 'prom-client'

interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  /** Values that are there, at 0, from the start: an alert on a series that does not exist never fires. */
  readonly initial?: readonly Readonly<Record<string, string>>[]
  readonly buckets?: readonly number[]
}

/** Every metric, declared once. Labels have few values: never names of objects or UIDs, which would grow for ever. */
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
  holdfast_recovery_key_exported: {
    type: 'gauge',
    help: '1 when the recovery key was exported, 0 while only this cluster has it; as of the last backup.',
    labels: [],
  },
  holdfast_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When an action last succeeded, by name of the action.',
    labels: ['action'],
  },
  holdfast_schedule_objects: {
    type: 'gauge',
    help: 'Objects under a Schedule.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_schedule_failing_objects: {
    type: 'gauge',
    help: 'Objects whose newest run of a Schedule failed.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_schedule_never_succeeded_objects: {
    type: 'gauge',
    help: 'Objects without any good backup of a Schedule yet.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_schedule_skipped_slots: {
    type: 'gauge',
    help: 'Slots of a Schedule that were passed over, over all its objects.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_schedule_suspended: {
    type: 'gauge',
    help: '1 while a Schedule is suspended.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_schedule_broken: {
    type: 'gauge',
    help: '1 while a Schedule cannot work as it is written.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_schedule_next_run_timestamp_seconds: {
    type: 'gauge',
    help: 'When the next object of a Schedule starts; 0: never.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_schedule_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'Newest good backup of a Schedule; 0: none.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_schedule_unprotected_since_timestamp_seconds: {
    type: 'gauge',
    help: 'Of the object that is worst off: its last good backup, or when it came under the Schedule.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_schedule_last_proven_timestamp_seconds: {
    type: 'gauge',
    help: 'Last proof (last check, where nothing is restored) of the object that is worst off; 0: one was never proven, or nothing is to be.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_schedule_unproven_since_timestamp_seconds: {
    type: 'gauge',
    help: 'Of the object that is worst off: its last proof, or since when it should be proven; 0: nothing is to be.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_schedule_never_proven_objects: {
    type: 'gauge',
    help: 'Objects of which no backup was proven yet, though their Schedule says so.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_schedule_disproved_objects: {
    type: 'gauge',
    help: 'Objects whose last proof found the backup to be no good.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_schedule_verification_failing: {
    type: 'gauge',
    help: 'Objects whose last proof failed, for whatever reason; the disproved ones are among them.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_retention_kept_backups: {
    type: 'gauge',
    help: 'Backups of a Schedule that its retention keeps.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_retention_failing_removals: {
    type: 'gauge',
    help: 'Old backups of a Schedule whose removal failed; it is tried again.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_retention_unpruned_repositories: {
    type: 'gauge',
    help: 'Repositories whose space could not be given back after removals of a Schedule; it is tried again.',
    labels: ['namespace', 'schedule'],
  },
  holdfast_retention_freed_bytes: {
    type: 'gauge',
    help: 'Bytes given back by pruning after removals of a Schedule, in all.',
    labels: ['namespace', 'schedule'],
  },
} as const satisfies Record<string, MetricRow>

export type MetricName = keyof typeof metricRows

export interface Metrics {
  inc(name: MetricName, labels?: Readonly<Record<string, string>>): void
  set(name: MetricName, value: number, labels?: Readonly<Record<string, string>>): void
  /** Takes away every gauge with just these labels: what they spoke of is gone. */
  remove(labels: Readonly<Record<string, string>>): void
  observe(name: MetricName, value: number, labels?: Readonly<Record<string, string>>): void
  /** In the text form of Prometheus. */
  text(): Promise<string>
}

/** The table of metrics for people. */
export function describeMetrics(): string {
  const rows = Object.entries(metricRows as Record<string, MetricRow>).map(
    ([name, { type, help, labels }]) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  )
  return ['| metric | type | labels | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')
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
    remove: (labels) => {
      const wanted = Object.keys(labels).toSorted().join()
      for (const [name, row] of Object.entries(metricRows as Record<string, MetricRow>))
        if (row.type === 'gauge' && row.labels.toSorted().join() === wanted) (made.get(name) as Gauge).remove(labels)
    },
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
