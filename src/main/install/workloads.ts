import type { Json } from '../../schema/crd.ts'
import { labels } from './labels.ts'
import { webhookPort } from './webhook.ts'

/** The images of an installation. Both are pulled only if absent, so a cluster without a registry can bring them itself. */
export interface Images {
  readonly engine: string
  readonly redis: string
}

const hardened = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}

function podSecurity(user: number): Json {
  return { runAsNonRoot: true, runAsUser: user, runAsGroup: user, fsGroup: user, seccompProfile: { type: 'RuntimeDefault' } }
}

/** The queue holds hints only, so nothing is written to disk; it must not evict. */
export function redis(namespace: string, images: Images): Json[] {
  const metadata = { name: 'holdfast-redis', namespace, labels: labels('redis') }
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels('redis'), ports: [{ name: 'redis', port: 6379, targetPort: 6379 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 1,
        strategy: { type: 'Recreate' },
        selector: { matchLabels: labels('redis') },
        template: {
          metadata: { labels: labels('redis') },
          spec: {
            automountServiceAccountToken: false,
            securityContext: podSecurity(999),
            containers: [
              {
                name: 'redis',
                image: images.redis,
                imagePullPolicy: 'IfNotPresent',
                command: ['redis-server'],
                args: [
                  '--bind',
                  '0.0.0.0',
                  '--protected-mode',
                  'no',
                  '--save',
                  '',
                  '--appendonly',
                  'no',
                  '--maxmemory-policy',
                  'noeviction',
                  '--dir',
                  '/tmp',
                ],
                ports: [{ containerPort: 6379 }],
                readinessProbe: { tcpSocket: { port: 6379 }, periodSeconds: 2 },
                resources: { requests: { cpu: '20m', memory: '32Mi' }, limits: { memory: '256Mi' } },
                securityContext: hardened,
                volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
              },
            ],
            volumes: [{ name: 'tmp', emptyDir: {} }],
          },
        },
      },
    },
  ]
}

/** The controllers: two may run, one leads. */
export function operator(namespace: string, serviceAccount: string, images: Images): Json[] {
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'holdfast-operator', namespace, labels: labels('operator') },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels('operator') },
        template: {
          metadata: { labels: labels('operator') },
          spec: enginePod({
            command: 'operator',
            serviceAccount,
            images,
            env: [{ name: 'HOLDFAST_ADMISSION_PORT', value: String(webhookPort) }],
            ports: [{ name: 'webhook', containerPort: webhookPort }],
            resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
          }),
        },
      },
    },
  ]
}

/** The workers: a StatefulSet, since a worker that comes back under its name goes on with its own runs at once. */
export function workers(namespace: string, serviceAccount: string, images: Images): Json[] {
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'holdfast-worker', namespace, labels: labels('worker') },
      spec: {
        replicas: 1,
        serviceName: 'holdfast-worker',
        podManagementPolicy: 'Parallel',
        selector: { matchLabels: labels('worker') },
        template: {
          metadata: { labels: labels('worker') },
          spec: enginePod({
            command: 'worker',
            serviceAccount,
            images,
            resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
          }),
        },
      },
    },
  ]
}

interface EnginePod {
  readonly command: string
  readonly serviceAccount: string
  readonly images: Images
  readonly resources: Json
  readonly env?: readonly Json[]
  readonly ports?: readonly Json[]
}

function enginePod({ command, serviceAccount, images, resources, env = [], ports = [] }: EnginePod): Json {
  return {
    serviceAccountName: serviceAccount,
    // Addresses of Services in the environment would be taken for settings of ours.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 30,
    securityContext: podSecurity(1000),
    containers: [
      {
        name: command,
        image: images.engine,
        imagePullPolicy: 'IfNotPresent',
        command: ['holdfast', command],
        env: [
          fieldEnv('POD_NAMESPACE', 'metadata.namespace'),
          fieldEnv('POD_NAME', 'metadata.name'),
          { name: 'POD_SERVICE_ACCOUNT', value: serviceAccount },
          { name: 'REDIS_URL', value: 'redis://holdfast-redis:6379' },
          { name: 'HOLDFAST_IMAGE', value: images.engine },
          ...env,
        ],
        ports: [{ name: 'http', containerPort: 8000 }, ...ports],
        livenessProbe: { httpGet: { path: '/v0/healthz', port: 'http' }, periodSeconds: 10, failureThreshold: 6 },
        readinessProbe: { httpGet: { path: '/v0/readyz', port: 'http' }, periodSeconds: 2 },
        resources,
        securityContext: hardened,
        volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
      },
    ],
    volumes: [{ name: 'tmp', emptyDir: {} }],
  }
}

function fieldEnv(name: string, fieldPath: string): Json {
  return { name, valueFrom: { fieldRef: { fieldPath } } }
}
