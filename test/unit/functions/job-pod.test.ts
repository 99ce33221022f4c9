import { describe, expect, test } from 'vitest'
import { type JobPodRequest, buildJobPod, isOfPhase } from '../../../src/functions/job-pod.ts'
import { aRunIdentity, anEngine, podSettings } from '../../build/run-identity.ts'

const request: JobPodRequest = { name: 'kanister-job-x', namespace: 'app', image: 'busybox', command: ['true'], args: {} }
const surroundings = { run: aRunIdentity(), pods: podSettings(), engine: anEngine() }

describe('the job pod', () => {
  test('is what Kanister makes, with a derived name, a finder label, an owner note and a deadline', () => {
    const pod = buildJobPod(request, surroundings)

    expect(pod).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'kanister-job-x',
        namespace: 'app',
        labels: {
          createdBy: 'kanister',
          'holdfast.dev/actionset': 'backup-abc',
          'holdfast.dev/actionset-uid': '6f1c2c43-0000-4000-8000-000000000001',
        },
        annotations: { 'holdfast.dev/owner': '6f1c2c43-0000-4000-8000-000000000001/0/dump/1' },
      },
      spec: {
        restartPolicy: 'Never',
        activeDeadlineSeconds: 86_400,
        containers: [
          { name: 'container', image: 'busybox', command: ['true'], imagePullPolicy: 'IfNotPresent', volumeMounts: [] },
        ],
        volumes: [],
      },
    })
  })

  test('without a namespace it goes to the engine, under its service account, owned by the Run', () => {
    const run = aRunIdentity({ runRef: { name: 'run-1', uid: 'u-1' } })

    const pod = buildJobPod({ ...request, namespace: '' }, { ...surroundings, run })

    expect(pod.metadata?.namespace).toBe('kanister')
    expect(pod.spec?.serviceAccountName).toBe('engine')
    expect(pod.metadata?.ownerReferences).toEqual([
      { apiVersion: 'holdfast.dev/v1alpha1', kind: 'Run', name: 'run-1', uid: 'u-1' },
    ])
  })

  test('in another namespace it has no owner and no service account of ours', () => {
    const run = aRunIdentity({ runRef: { name: 'run-1', uid: 'u-1' } })

    const pod = buildJobPod(request, { ...surroundings, run })

    expect(pod.metadata?.ownerReferences).toBeUndefined()
    expect(pod.spec?.serviceAccountName).toBeUndefined()
  })

  test('secure defaults take the token away, an override gives it back', () => {
    const engine = anEngine({ secureDefaults: true })

    const plain = buildJobPod({ ...request, namespace: '' }, { ...surroundings, engine })
    const overridden = buildJobPod(
      { ...request, namespace: '', args: { podOverride: { automountServiceAccountToken: true, serviceAccountName: 'mine' } } },
      { ...surroundings, engine },
    )

    expect(plain.spec).toMatchObject({ serviceAccountName: 'default', automountServiceAccountToken: false })
    expect(overridden.spec).toMatchObject({ serviceAccountName: 'mine', automountServiceAccountToken: true })
  })

  test('the ActionSet wins in podOverride, the phase wins in labels and annotations', () => {
    const pods = podSettings({
      override: { serviceAccountName: 'from-actionset' },
      labels: { a: 'actionset', b: 'actionset' },
      annotations: { a: 'actionset' },
    })
    const args = {
      podOverride: { serviceAccountName: 'from-phase', nodeSelector: { x: 'y' } },
      podLabels: { a: 'phase', createdBy: 'me' },
      podAnnotations: { a: 'phase' },
    }

    const pod = buildJobPod({ ...request, args }, { ...surroundings, pods })

    expect(pod.spec).toMatchObject({ serviceAccountName: 'from-actionset', nodeSelector: { x: 'y' } })
    expect(pod.metadata?.labels).toMatchObject({ a: 'phase', b: 'actionset', createdBy: 'me' })
    expect(pod.metadata?.annotations).toMatchObject({ a: 'phase' })
  })

  test('our own labels and the owner note cannot be overwritten', () => {
    const args = { podLabels: { 'holdfast.dev/actionset-uid': 'x' }, podAnnotations: { 'holdfast.dev/owner': 'x' } }

    const pod = buildJobPod({ ...request, args }, surroundings)

    expect(pod.metadata?.labels?.['holdfast.dev/actionset-uid']).toBe(surroundings.run.actionSetUid)
    expect(isOfPhase(pod.metadata?.annotations?.['holdfast.dev/owner'], aRunIdentity({ attempt: 7 }))).toBe(true)
    expect(isOfPhase(pod.metadata?.annotations?.['holdfast.dev/owner'], aRunIdentity({ phaseName: 'other' }))).toBe(false)
  })

  test('directives reach the pod from the phase and are spent from the ActionSet, as in Kanister', () => {
    const drop = {
      containers: [
        { name: 'container', $patch: 'delete' },
        { name: 'other', image: 'o' },
      ],
    }

    const fromPhase = buildJobPod({ ...request, args: { podOverride: drop } }, surroundings)
    const fromActionSet = buildJobPod(request, { ...surroundings, pods: podSettings({ override: drop }) })

    expect(fromPhase.spec?.containers.map(({ name }) => name)).toEqual(['other'])
    expect(fromActionSet.spec?.containers.map(({ name }) => name)).toEqual(['container', 'other'])
  })

  test('the main container comes first, whatever the override added', () => {
    const args = {
      podOverride: {
        containers: [
          { name: 'sidecar', image: 's' },
          { name: 'container', image: 'mine' },
        ],
      },
    }

    const pod = buildJobPod({ ...request, args }, surroundings)

    expect(pod.spec?.containers.map(({ name, image }) => [name, image])).toEqual([
      ['container', 'mine'],
      ['sidecar', 's'],
    ])
  })

  test('claims are mounted under names of their own; files of secrets beside them', () => {
    const volumes = [{ claim: 'data-0', path: '/data', readOnly: true }]

    const pod = buildJobPod({ ...request, volumes, files: { secretName: 's', mountPath: '/f' } }, surroundings)

    const [claim, files] = pod.spec?.volumes ?? []
    expect(claim).toMatchObject({ persistentVolumeClaim: { claimName: 'data-0', readOnly: true } })
    expect(files).toMatchObject({ secret: { secretName: 's' } })
    expect(pod.spec?.containers[0]?.volumeMounts).toEqual([
      { name: claim?.name, mountPath: '/data' },
      { name: files?.name, mountPath: '/f', readOnly: true },
    ])
  })

  test('the job id of the ActionSet is passed on where asked for', () => {
    const run = aRunIdentity({ actionSetLabels: { 'kanister.io/JobID': 'j1' } })

    expect(buildJobPod({ ...request, passJobId: true }, { ...surroundings, run }).metadata?.labels?.['kanister.io/JobID']).toBe(
      'j1',
    )
    expect(buildJobPod(request, { ...surroundings, run }).metadata?.labels?.['kanister.io/JobID']).toBeUndefined()
  })
})

describe('a pod in which the engine moves files', () => {
  const mover = { ...request, namespace: '', mover: true }
  const containerOf = (args: JobPodRequest['args'], pods = podSettings()) =>
    buildJobPod({ ...mover, args }, { ...surroundings, pods }).spec?.containers[0]

  test('has no token, not the service account of the engine, no capabilities that tar does not need, and bounds', () => {
    const pod = buildJobPod(mover, surroundings)

    expect(pod.spec?.automountServiceAccountToken).toBe(false)
    expect(pod.spec?.serviceAccountName).toBeUndefined()
    expect(pod.spec?.containers[0]).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: {
          drop: ['AUDIT_WRITE', 'KILL', 'NET_BIND_SERVICE', 'NET_RAW', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
        },
      },
      resources: { requests: { cpu: '50m', memory: '32Mi' }, limits: { memory: '512Mi' } },
    })
  })

  test('takes the security context of an override as it is, and other fields beside its own', () => {
    const restricted = { runAsNonRoot: true, capabilities: { drop: ['ALL'] } }
    const override = { containers: [{ name: 'container', securityContext: restricted }] }
    const bigger = { containers: [{ name: 'container', resources: { limits: { memory: '2Gi' } } }] }

    expect(containerOf({ podOverride: override })?.securityContext).toEqual(restricted)
    expect(containerOf({}, podSettings({ override }))?.securityContext).toEqual(restricted)
    expect(containerOf({ podOverride: bigger })).toMatchObject({
      securityContext: { allowPrivilegeEscalation: false },
      resources: { requests: { memory: '32Mi' }, limits: { memory: '2Gi' } },
    })
  })
})
