import { expect, test } from 'vitest'
import { actionSetKind } from '../../../src/api/actionset.ts'
import { customResourceDefinition } from '../../../src/api/crd.ts'
import { missingFields } from '../../../src/controllers/runtime/crd-guard.ts'

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
