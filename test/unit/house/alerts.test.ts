import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { createMetrics, metricRows } from '../../../src/telemetry/metrics.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
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
