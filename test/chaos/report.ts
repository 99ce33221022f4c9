import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ChaosResult } from './chaos.ts'

/** A run as it is kept: one line of JSON. */
export interface ChaosRun {
  readonly seed: number
  readonly commit: string
  readonly seconds: number
  readonly kills: number
  readonly passed: number
  readonly byKind: Readonly<Record<string, number>>
  readonly actionSets: Readonly<Record<string, number>>
  readonly interrupted: number
  readonly wrong: readonly string[]
  readonly back: Times
  readonly takeover: Times
}

interface Times {
  readonly count: number
  readonly medianMs: number
  readonly p90Ms: number
  readonly worstMs: number
}

export function figuresOf(result: ChaosResult): Omit<ChaosRun, 'commit' | 'seconds'> {
  const { seed, total, passed, kills, actionSets, interrupted, complaints } = result
  return {
    seed,
    kills: total,
    passed,
    byKind: kills,
    actionSets,
    interrupted,
    wrong: complaints,
    back: timesOf(result.backMs),
    takeover: timesOf(result.takeoverMs),
  }
}

function timesOf(sorted: readonly number[]): Times {
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { count: sorted.length, medianMs: at(0.5), p90Ms: at(0.9), worstMs: sorted.at(-1) ?? 0 }
}

const results = resolve(import.meta.dirname, 'results.jsonl')
const page = resolve(import.meta.dirname, '../../docs/chaos.md')

/** Adds the run to those that are kept and writes the page anew. */
export function record(run: ChaosRun): void {
  appendFileSync(results, `${JSON.stringify(run)}\n`)
  writeFileSync(page, renderPage(readRuns()))
}

export function readRuns(): ChaosRun[] {
  if (!existsSync(results)) return []
  // Written by `record`.
  return readFileSync(results, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ChaosRun)
}

export function renderPage(runs: readonly ChaosRun[]): string {
  const sum = (of: (run: ChaosRun) => number): number => runs.reduce((all, run) => all + of(run), 0)
  const byKind = new Map<string, number>()
  for (const run of runs)
    for (const [kind, count] of Object.entries(run.byKind)) byKind.set(kind, (byKind.get(kind) ?? 0) + count)
  const wrong = runs.flatMap((run) => run.wrong.map((text) => `- seed ${run.seed}, commit ${run.commit}: ${text}`))
  return `${[
    '# Chaos: what was killed, and what came of it',
    '',
    'Written by `npm run chaos -- --kills N --seed S --record`; each run adds its line to `test/chaos/results.jsonl`. A real API server, kubelet, Redis and',
    'S3 server; one operator and two workers as processes that are killed with SIGKILL at moments of chance and at observed journal writes. Every round',
    'runs five to eight ActionSets: commands that append a line (KubeExec), a workload scaled down and up, a job pod that pushes an object (KubeTask), a',
    'stream into a repository (BackupStream), each with a deferred phase. Three kills a round.',
    '',
    `**${sum((run) => run.passed)} of ${sum((run) => run.kills)} kill points passed**, with ${sum((run) => (run.actionSets['complete'] ?? 0) + (run.actionSets['failed'] ?? 0))} ActionSets (${sum((run) => run.actionSets['complete'] ?? 0)} complete, ${sum((run) => run.actionSets['failed'] ?? 0)} failed, of which ${sum((run) => run.interrupted)} as interrupted).`,
    '',
    '| killed | times |',
    '| --- | --- |',
    ...[...byKind].toSorted(([, a], [, b]) => b - a).map(([kind, count]) => `| ${kind} | ${count} |`),
    '',
    'Looked at after each round, in the real files, objects and bucket: every ActionSet ended and its Run says so; no line of a command twice; the deferred',
    'phase ran once; no artifact without its object or snapshot, no record of what failed; no pod of a function, no unfinished upload and no scaled down',
    'workload left; the state of every action, phase and status seen by a watch only went forward, the fence never back, nothing changed after its end.',
    "What fails because the application's pod was deleted under it may fail; a phase whose command cannot be adopted may end as `RUN_INTERRUPTED`.",
    '',
    '| seed | commit | kills | passed | back at once: median, p90, worst | taken over: median, p90, worst | duration |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...runs.map(
      (run) =>
        `| ${run.seed} | ${run.commit} | ${run.kills} | ${run.passed} | ${timesText(run.back)} | ${timesText(run.takeover)} | ${Math.round(run.seconds / 60)} min |`,
    ),
    '',
    'Back at once: from when the killed worker, started again under its name, could work until it had taken each action that it had. Taken over: from',
    'the SIGKILL until another worker had; only where nothing else was killed in between (in the run with seed 11 also those). The machine did other',
    'things meanwhile.',
    ...(wrong.length > 0
      ? [
          '',
          '## What was wrong',
          '',
          'Of all runs, so most of it is mended since; what is still open stands in [proof.md](proof.md#crashes).',
          '',
          ...wrong,
        ]
      : []),
  ].join('\n')}\n`
}

function timesText({ count, medianMs, p90Ms, worstMs }: Times): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(1)
  return count === 0 ? '–' : `${seconds(medianMs)} s, ${seconds(p90Ms)} s, ${seconds(worstMs)} s (${count})`
}
