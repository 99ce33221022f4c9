import { describe, expect, test } from 'vitest'
import { checkArgNames, decodeArgs, nameArgs } from '../../../src/engine/args.ts'
import { findFunction, getFunction, missingFunction } from '../../../src/functions/registry.ts'

/** A function of Kanister as its Blueprints use it: what must be given, what may be, what comes out. */
interface Interface {
  readonly required: string
  readonly optional?: string
  readonly outputs?: string
  /** What a command prints becomes outputs. */
  readonly markers?: true
  /** Other spellings in Kanister's documents. */
  readonly spellings?: Readonly<Record<string, string>>
}

const pod = 'podOverride podLabels podAnnotations'
const kept = 'backupID backupTag fileCount size phySize version'

const kanister: Readonly<Record<string, Interface>> = {
  KubeExec: { required: 'namespace pod command', optional: 'container', markers: true },
  KubeExecAll: { required: 'namespace pods containers command', markers: true },
  KubeTask: { required: 'image command', optional: `namespace ${pod}`, markers: true },
  MultiContainerRun: {
    required: 'backgroundImage backgroundCommand outputImage outputCommand',
    optional: `initImage initCommand namespace sharedVolumeMedium sharedVolumeSizeLimit sharedVolumeDir ${pod}`,
    markers: true,
  },
  PrepareData: {
    required: 'namespace image command',
    optional: `volumes serviceaccount failOnError ${pod}`,
    markers: true,
    spellings: { serviceAccount: 'serviceaccount' },
  },
  ScaleWorkload: { required: 'replicas', optional: 'namespace name kind waitForReady', outputs: 'originalReplicaCount' },
  BackupData: {
    required: 'namespace pod container includePath backupArtifactPrefix',
    optional: 'encryptionKey insecureTLS',
    outputs: kept,
  },
  BackupDataAll: {
    required: 'namespace container includePath backupArtifactPrefix',
    optional: 'pods encryptionKey insecureTLS',
    outputs: 'BackupAllInfo version',
  },
  BackupDataStats: {
    required: 'namespace backupArtifactPrefix backupID',
    optional: `statsMode encryptionKey image ${pod}`,
    outputs: 'mode fileCount size version',
    spellings: { mode: 'statsMode' },
  },
  RestoreData: {
    required: 'namespace image backupArtifactPrefix',
    optional: `backupTag backupIdentifier pod volumes restorePath backupPath encryptionKey insecureTLS ${pod}`,
  },
  RestoreDataAll: {
    required: 'namespace image backupArtifactPrefix backupInfo',
    optional: `restorePath pods encryptionKey insecureTLS ${pod}`,
  },
  CopyVolumeData: {
    required: 'namespace volume dataArtifactPrefix',
    optional: `mountPath image encryptionKey insecureTLS ${pod}`,
    outputs: `${kept} backupRoot backupArtifactLocation`,
  },
  DeleteData: {
    required: 'namespace backupArtifactPrefix',
    optional: `backupID backupTag reclaimSpace image encryptionKey insecureTLS ${pod}`,
    outputs: 'spaceFreed',
  },
  DeleteDataAll: {
    required: 'namespace backupArtifactPrefix backupInfo',
    optional: `reclaimSpace image encryptionKey insecureTLS ${pod}`,
    outputs: 'spaceFreed',
  },
  CheckRepository: {
    required: 'backupArtifactPrefix',
    optional: `encryptionKey insecureTLS image ${pod}`,
    outputs: 'passwordIncorrect repoUnavailable version',
  },
  LocationDelete: { required: 'artifact' },
  KubeOps: {
    required: 'operation',
    optional: 'spec namespace objectReference',
    outputs: 'apiVersion group resource kind name namespace',
  },
  Wait: { required: 'timeout conditions' },
  WaitV2: { required: 'timeout conditions' },
}

const words = (text = ''): string[] => text.split(' ').filter(Boolean)

describe.each(Object.entries(kanister))('%s', (name, { required, optional, outputs, markers, spellings }) => {
  const fn = getFunction(name)
  const given = (names: readonly string[]): Record<string, unknown> => Object.fromEntries(names.map((each) => [each, 'x']))

  test('takes every argument that Kanister takes, and wants no other', () => {
    expect(checkArgNames(fn, given(words(required)))).toEqual([])
    expect(checkArgNames(fn, given([...words(required), ...words(optional)]))).toEqual([])
  })

  test('names each argument that Kanister requires, in its words', () => {
    const faults = checkArgNames(fn, {})

    expect(faults.toSorted()).toEqual(
      words(required)
        .map((arg) => missing(name, arg))
        .toSorted(),
    )
  })

  test('knows the other spellings', () => {
    for (const [spelling, meant] of Object.entries(spellings ?? {}))
      expect(nameArgs(fn, { [spelling]: 'x' }).named).toEqual({ [meant]: 'x' })
  })

  test('has the outputs of Kanister', () => {
    expect(Object.keys(fn.outputs)).toEqual(expect.arrayContaining(words(outputs)))
    expect(fn.reportsMarkers ?? false).toBe(markers ?? false)
  })
})

const missing = (name: string, arg: string): string =>
  `Required args missing for function ${name}: Required arg missing: ${arg}`

describe('values are read as Kanister reads them', () => {
  const decode = (name: string, args: object): Record<string, unknown> => decodeArgs(getFunction(name), { ...args })
  const task = { image: 'i', command: ['x'] }
  const prepare = { ...task, namespace: 'n' }
  const exec = { namespace: 'n', pod: 'p', command: ['x'] }

  test.each([
    ['a number as text', 'KubeExec', { ...exec, container: 5 }, { container: '5' }],
    ['true as text', 'KubeExec', { ...exec, container: true }, { container: '1' }],
    ['a lone text as argv of one', 'KubeExec', { ...exec, command: 'echo hi' }, { command: ['echo hi'] }],
    ['the word True', 'PrepareData', { ...prepare, failOnError: 'True' }, { failOnError: true }],
    ['a claim map of templates', 'PrepareData', { ...prepare, volumes: { c: '/d' } }, { volumes: { c: '/d' } }],
    ['a count in text', 'ScaleWorkload', { replicas: '3' }, { replicas: '3' }],
    ['a count as a number', 'ScaleWorkload', { replicas: 0 }, { replicas: '0' }],
    [
      'labels from a list of maps',
      'KubeTask',
      { ...task, podLabels: [{ a: 'b' }, { c: 1 }] },
      { podLabels: { a: 'b', c: '1' } },
    ],
  ])('%s', (_what, name, args, expected) => {
    expect(decode(name, args)).toMatchObject(expected)
  })

  test.each([
    ['the word yes', 'PrepareData', { ...prepare, failOnError: 'yes' }, /failOnError/],
    ['a fraction in text', 'ScaleWorkload', { replicas: '1.0' }, /replicas must be a whole number/],
    ['an empty count, which would mean 0', 'ScaleWorkload', { replicas: '' }, /replicas must be a whole number/],
    ['an override as text', 'KubeTask', { ...task, podOverride: '{}' }, /podOverride/],
    ['an argument that nobody knows', 'KubeTask', { ...task, zzz: 1 }, /argument zzz is not supported/],
    [
      'both of backupTag and backupIdentifier',
      'RestoreData',
      { namespace: 'n', image: 'i', backupArtifactPrefix: 'p', pod: 'p', backupTag: 't', backupIdentifier: 'i' },
      /backupTag/,
    ],
    [
      'neither pod nor volumes',
      'RestoreData',
      { namespace: 'n', image: 'i', backupArtifactPrefix: 'p', backupTag: 't' },
      /volumes/,
    ],
  ])('%s is refused', (_what, name, args, message) => {
    expect(() => decode(name, args)).toThrow(message)
  })
})

test.each([
  'CreateCSISnapshot',
  'CreateCSISnapshotStatic',
  'RestoreCSISnapshot',
  'DeleteCSISnapshot',
  'DeleteCSISnapshotContent',
  'CreateRDSSnapshot',
  'ExportRDSSnapshotToLocation',
  'RestoreRDSSnapshot',
  'DeleteRDSSnapshot',
  'BackupDataUsingKopiaServer',
  'RestoreDataUsingKopiaServer',
  'DeleteDataUsingKopiaServer',
  'CreateVolumeSnapshot',
  'WaitForSnapshotCompletion',
  'CreateVolumeFromSnapshot',
  'DeleteVolumeSnapshot',
  'DescribeBackups',
])('%s is refused by name, with what to do instead', (name) => {
  // A function that comes later leaves this list.
  expect(findFunction(name)).toBeUndefined()
  expect(missingFunction(name)).toMatchObject({
    code: 'FUNCTION_REMOVED',
    message: expect.stringMatching(new RegExp(`^Requested function \\{${name}\\} has not been registered: .{30,}`)),
  })
})
