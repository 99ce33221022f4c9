import { describe, expect, test } from 'vitest'
import { countsOf } from '../../harness/vitest-project.ts'

const passedTest = { status: 'passed', fullName: 'adds' }
const failedTest = {
  status: 'failed',
  fullName: 'a pod is found',
  failureMessages: ['AssertionError: expected 1 to be 2\n    at somewhere'],
}

describe('the counts at the end of the tests', () => {
  test('name each failed test with its message', () => {
    const report = {
      numPassedTests: 1,
      numFailedTests: 1,
      testResults: [{ name: 'pods.test.ts', status: 'failed', assertionResults: [passedTest, failedTest] }],
    }
    const { passed, failed, failures } = countsOf(report, 1)
    expect([passed, failed]).toEqual([1, 1])
    expect(failures).toHaveLength(1)
    expect(failures[0]).toMatch(/pods\.test\.ts: a pod is found: AssertionError: expected 1 to be 2/)
  })

  test('name what passed at its second try only', () => {
    const again = { ...failedTest, status: 'passed' }
    const testResults = [{ name: 'pods.test.ts', status: 'passed', assertionResults: [passedTest, again] }]
    const { passed, failed, failures, unsteady } = countsOf({ numPassedTests: 2, numFailedTests: 0, testResults }, 0)
    expect([passed, failed, failures]).toEqual([2, 0, []])
    expect(unsteady).toHaveLength(1)
    expect(unsteady[0]).toMatch(/a pod is found/)
  })

  test('name a file that could not be loaded', () => {
    const broken = { name: 'broken.test.ts', status: 'failed', message: 'Cannot find module', assertionResults: [] }
    const { failed, failures } = countsOf({ numPassedTests: 0, numFailedTests: 0, testResults: [broken] }, 1)
    expect(failed).toBe(1)
    expect(failures).toEqual(['broken.test.ts: Cannot find module'])
  })

  test('are a failure when vitest failed and no test did, or wrote no report', () => {
    expect(countsOf({ numPassedTests: 3, numFailedTests: 0, testResults: [] }, 1).failed).toBe(1)
    expect(countsOf(undefined, 1).failures).toHaveLength(1)
    expect(countsOf(undefined, 0)).toEqual({ passed: 0, failed: 0, failures: [], unsteady: [] })
  })
})
