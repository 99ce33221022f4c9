import type { KubeObject } from './objects.ts'
import { postgresObjects } from './postgres.ts'

// Applications with the names, labels and Secrets by which published Blueprints find those of well-known Helm charts: the label
// `app.kubernetes.io/instance`, and a Secret and a Service named after it.

/** Password of each of these applications. */
export const appPassword = 'not-so-secret'

/** PostgreSQL as `<release>-postgresql`; wants the image `postgres`. */
export function chartPostgres(release: string): KubeObject[] {
  const name = `${release}-postgresql`
  return postgresObjects({ name, password: appPassword }).map((object) => {
    const labelled = { ...object, metadata: { ...object.metadata, labels: chartLabels(release) } }
    return object.kind === 'Secret'
      ? { ...labelled, stringData: { password: appPassword, 'postgres-password': appPassword } }
      : labelled
  })
}

/** MariaDB as `<release>`; wants the image of tools. */
export function chartMariadb(release: string, image: string): KubeObject[] {
  const container = {
    name: 'mysql',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['mariadb-start'],
    env: [{ name: 'MARIADB_ROOT_PASSWORD', value: appPassword }],
    readinessProbe: {
      exec: { command: ['mariadb', '-h127.0.0.1', '-uroot', `-p${appPassword}`, '-e', 'SELECT 1'] },
      periodSeconds: 1,
    },
  }
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: release }, stringData: { 'mysql-root-password': appPassword } },
    service(release, release, 3306),
    statefulSet(release, { release, container }),
  ]
}

/** Redis as `<release>-master`; wants the image `redis`. */
export function chartRedis(release: string): KubeObject[] {
  const container = {
    name: 'redis',
    image: 'redis:7-bookworm',
    imagePullPolicy: 'IfNotPresent',
    command: ['redis-server', '--requirepass', appPassword, '--save', '', '--enable-debug-command', 'yes'],
    readinessProbe: { exec: { command: ['redis-cli', '-a', appPassword, 'ping'] }, periodSeconds: 1 },
  }
  const name = `${release}-master`
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: release }, stringData: { 'redis-password': appPassword } },
    service(name, release, 6379),
    statefulSet(name, { release, container, labels: { 'app.kubernetes.io/component': 'master' } }),
  ]
}

/** A Deployment of one pod that keeps a log in a claim at /var/log; wants the image `debian`. */
export function timeLogger(): KubeObject[] {
  const container = {
    name: 'test-container',
    image: 'debian:bookworm-slim',
    imagePullPolicy: 'IfNotPresent',
    command: ['sleep', 'infinity'],
    volumeMounts: [{ name: 'data', mountPath: '/var/log' }],
  }
  const labels = { app: 'time-logger' }
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'time-log-pvc' } }]
  const spec = { terminationGracePeriodSeconds: 0, containers: [container], volumes }
  return [
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'time-log-pvc' }, spec: claim },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'time-logger', labels },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    },
  ]
}

/** Two pods and an arbiter under the names of the MongoDB chart, with files in place of a database; wants the image `debian`. */
export function chartMongodb(release: string): KubeObject[] {
  const container = {
    name: 'mongodb',
    image: 'debian:bookworm-slim',
    imagePullPolicy: 'IfNotPresent',
    command: ['sleep', 'infinity'],
  }
  const withData = { ...container, volumeMounts: [{ name: 'datadir', mountPath: '/bitnami/mongodb' }] }
  return [
    statefulSet(`${release}-mongodb`, { release, container: withData, replicas: 2, claimed: 'datadir' }),
    statefulSet(`${release}-mongodb-arbiter`, { release, container }),
  ]
}

const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '100Mi' } } }

function chartLabels(release: string): Record<string, string> {
  return { 'app.kubernetes.io/instance': release }
}

function service(name: string, release: string, port: number): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: chartLabels(release), ports: [{ port }] } }
}

interface Workload {
  readonly release: string
  readonly container: unknown
  readonly replicas?: number
  readonly labels?: Readonly<Record<string, string>>
  /** Name of the volume that a claim template makes for each pod. */
  readonly claimed?: string
}

function statefulSet(name: string, { release, container, replicas = 1, labels = {}, claimed }: Workload): KubeObject {
  const ofPods = { ...chartLabels(release), ...labels, set: name }
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, labels: { ...chartLabels(release), ...labels } },
    spec: {
      serviceName: name,
      replicas,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: ofPods },
      template: { metadata: { labels: ofPods }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } },
      ...(claimed ? { volumeClaimTemplates: [{ metadata: { name: claimed }, spec: claim }] } : {}),
    },
  }
}
