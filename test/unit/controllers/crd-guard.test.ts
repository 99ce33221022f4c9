import { expect, test } from 'vitest'
import { actionSetKind } from '../../../src/api/actionset.ts'
import { customResourceDefinition } from '../../../src/api/crd.ts'
import type { Kind } from '../../../src/api/kind.ts'
import { kinds } from '../../../src/api/kinds.ts'
import { CrdGuard, missingFields } from '../../../src/controllers/runtime/crd-guard.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'

const ours = customResourceDefinition(actionSetKind)

test('our own CRD lacks nothing', () => {
  expect(missingFields(ours, structuredClone(ours))).toEqual([])
})

test('fields that another writer of the CRD does not know are named by their path', () => {
  const text = JSON.stringify(ours).replace('"executionMode":', '"somethingElse":').replace('"warnings":', '"other":')

  expect(missingFields(ours, JSON.parse(text))).toEqual(['spec.executionMode', 'status.warnings'])
})

test('a CRD that is not there lacks everything', () => {
  expect(missingFields(ours, {})).toEqual(['everything'])
})

/** A guard beside a server that has these CRDs, with a clock that is turned. */
function setting(): { guard: CrdGuard; there: Set<string>; clock: { nowMs: number }; said: string[] } {
  const there = new Set(kinds.map(({ plural, group }) => `${plural}.${group}`))
  const clock = { nowMs: 1_000_000, now: () => clock.nowMs, sleep: () => Promise.resolve() }
  const said: string[] = []
  const log = { ...silentLogger, error: (fields: object) => void said.push((fields as { crd: string }).crd) }
  const find = ({ name }: { name: string }): Promise<object | undefined> =>
    Promise.resolve(
      there.has(name) ? customResourceDefinition(kinds.find((kind) => name.startsWith(kind.plural)) as Kind) : undefined,
    )
  // Only `find` is called.
  const guard = new CrdGuard({ kube: { resource: () => ({ find }) } as never, clock, log })
  return { guard, there, clock, said }
}

const never = new AbortController().signal

test('a kind that the API server does not know is said at once, with the way out, and again once a minute', async () => {
  const { guard, there, clock, said } = setting()
  there.delete('verifications.holdfast.dev')

  for (let looks = 0; looks < 7; looks++, clock.nowMs += 10_000) await guard.look(never)

  expect(said).toEqual(['verifications.holdfast.dev', 'verifications.holdfast.dev'])
  expect(guard.trouble).toBe(
    'the API server has no CRD of Verification: kubectl apply --server-side --force-conflicts -f install.yaml',
  )
})

test('a kind that came is known some seconds later', async () => {
  const { guard, there, clock } = setting()
  there.delete('runs.holdfast.dev')
  await guard.look(never)
  there.add('runs.holdfast.dev')
  clock.nowMs += 10_000

  await guard.look(never)

  expect(guard.trouble).toBeUndefined()
})
