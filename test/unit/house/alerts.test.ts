import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parser } from '@prometheus-io/lezer-promql'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { createMetrics, metricRows } from '../../../src/telemetry/metrics.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

const text = readFileSync(join(import.meta.dirname, '../../../deploy/alerts.yaml'), 'utf8')
const { groups } = parse(text) as { readonly groups: readonly { readonly rules: readonly Rule[] }[] }
const rules = groups.flatMap((group) => group.rules)
const metricsIn = (expr: string): string[] => expr.match(/\b(?:holdfast|kanister)_\w+/g) ?? []

test('each alert asks for metrics that there are, and says what it means and what to do', () => {
  expect(rules.length).toBeGreaterThan(5)
  for (const { alert, expr, labels, annotations } of rules) {
    const metrics = metricsIn(expr)
    expect(metrics.length, alert).toBeGreaterThan(0)
    expect(
      metrics.filter((name) => !(name in metricRows)),
      alert,
    ).toEqual([])
    expect(labels['severity'], alert).toMatch(/^(critical|warning)$/)
    expect(annotations, alert).toEqual({ summary: expect.any(String), description: expect.any(String) })
  }
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
})

test('each expression is PromQL, by the grammar of Prometheus itself', () => {
  for (const { alert, expr } of rules) {
    const faults: string[] = []
    parser.parse(expr).iterate({
      enter: ({ type, from, to }) => {
        if (type.isError) faults.push(`${alert}: at ${from}: "${expr.slice(Math.max(0, from - 10), to + 10)}"`)
      },
    })
    expect(faults).toEqual([])
  }
})

test.each(['holdfast_runs_active >', 'sum(rate(holdfast_runs_active[5m)', 'time() - 26 hours > 0', 'a == 0 andd b'])(
  'that grammar finds the fault in %s',
  (expr) => {
    let isFaulty = false
    parser.parse(expr).iterate({ enter: ({ type }) => void (isFaulty ||= type.isError) })
    expect(isFaulty).toBe(true)
  },
)

test('how long an alert waits is a time of Prometheus, and nothing in a rule is misspelled', () => {
  for (const rule of rules) {
    expect(rule.for ?? '0s', rule.alert).toMatch(/^(\d+(ms|[smhdwy]))+$/)
    expect(['alert', 'expr', 'for', 'labels', 'annotations']).toEqual(expect.arrayContaining(Object.keys(rule)))
    for (const text of Object.values(rule.annotations))
      expect(text.replaceAll(/\{\{ \$(labels\.\w+|value) \}\}/g, ''), rule.alert).not.toMatch(/[{}$]/)
  }
})

test('a label that an alert names is one that its metrics have', () => {
  for (const { alert, expr, annotations } of rules) {
    const named = [
      ...Object.values(annotations)
        .join(' ')
        .matchAll(/\$labels\.(\w+)/g),
    ].map(([, label = '']) => label)
    for (const metric of metricsIn(expr)) {
      const { labels } = metricRows[metric as keyof typeof metricRows]
      expect(labels, alert).toEqual(expect.arrayContaining(named))
    }
  }
})

test('what tells that the engine is there is reported from the start on', async () => {
  const watched = rules.flatMap(({ expr }) => /^absent\((\w+)\)$/.exec(expr)?.[1] ?? [])
  expect(watched).toHaveLength(1)
  for (const name of watched) expect(await createMetrics().text()).toMatch(new RegExp(`^${name}\\{.*\\} 0$`, 'm'))
})
