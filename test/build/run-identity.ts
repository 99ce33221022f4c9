import type { EngineIdentity, PodSettings, RunIdentity } from '../../src/functions/context.ts'

/** A phase of an ActionSet, with defaults. */
export function aRunIdentity(given: Partial<RunIdentity> = {}): RunIdentity {
  return {
    namespace: 'kanister',
    actionSetName: 'backup-abc',
    actionSetUid: '6f1c2c43-0000-4000-8000-000000000001',
    actionSetLabels: {},
    actionIndex: 0,
    actionName: 'backup',
    phaseName: 'dump',
    attempt: 1,
    object: {},
    ...given,
  }
}

export function anEngine(given: Partial<EngineIdentity> = {}): EngineIdentity {
  return {
    installationId: '11111111-0000-4000-8000-000000000001',
    namespace: 'kanister',
    serviceAccount: 'engine',
    image: 'holdfast:test',
    secureDefaults: false,
    podReadyTimeoutMs: 900_000,
    ...given,
  }
}

export function podSettings(given: Partial<PodSettings> = {}): PodSettings {
  return { labels: {}, annotations: {}, ...given }
}
