import type { KubeObject } from './objects.ts'
import type { World } from './world.ts'

export interface PostgresOptions {
  readonly name?: string
  readonly replicas?: number
  readonly password?: string
}

/** A PostgreSQL StatefulSet with a volume per pod, its Secret and its Service. Each replica is a server of its own. */
export function postgresObjects({
  name = 'db',
  replicas = 1,
  password = 'first-password',
}: PostgresOptions = {}): KubeObject[] {
  const labels = { app: name }
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { password } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { clusterIP: 'None', selector: labels, ports: [{ port: 5432 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name },
      spec: {
        serviceName: name,
        replicas,
        podManagementPolicy: 'Parallel',
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podSpec(name) },
        volumeClaimTemplates: [
          { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
        ],
      },
    },
  ]
}

function podSpec(name: string): unknown {
  const password = { name: 'POSTGRES_PASSWORD', valueFrom: { secretKeyRef: { name, key: 'password' } } }
  return {
    terminationGracePeriodSeconds: 5,
    securityContext: { fsGroup: 999 },
    containers: [
      {
        name: 'postgres',
        image: 'postgres:15',
        imagePullPolicy: 'IfNotPresent',
        env: [{ name: 'POSTGRES_DB', value: 'shop' }, password, { name: 'PGDATA', value: '/var/lib/postgresql/data/pgdata' }],
        // By TCP: during the first start the server listens on its socket file only.
        readinessProbe: {
          exec: { command: ['pg_isready', '-h', '127.0.0.1', '-U', 'postgres', '-d', 'shop'] },
          periodSeconds: 1,
        },
        volumeMounts: [{ name: 'data', mountPath: '/var/lib/postgresql/data' }],
      },
    ],
  }
}

/** Runs SQL in a pod and gives the bare values. */
export async function sql(world: World, namespace: string, pod: string, text: string): Promise<string> {
  const psql = [
    'psql',
    '--quiet',
    '--username=postgres',
    '--dbname=shop',
    '--set=ON_ERROR_STOP=1',
    '--tuples-only',
    '--no-align',
  ]
  const answer = await world.kubectl(['exec', '-i', '-n', namespace, pod, '-c', 'postgres', '--', ...psql], { input: text })
  return answer.trim()
}

/** Changes when the server recovered from a crash, as it does after one of its children was killed: every connection is lost then. */
export function serverLife(world: World, namespace: string, pod: string): Promise<string> {
  return sql(world, namespace, pod, `SELECT backend_start FROM pg_stat_activity WHERE backend_type = 'checkpointer'`)
}

/** A table of orders, and its digest over every row. */
export async function fillOrders(world: World, namespace: string, pod: string, rows = 3000): Promise<string> {
  await sql(
    world,
    namespace,
    pod,
    `DROP TABLE IF EXISTS orders; CREATE TABLE orders (id int PRIMARY KEY, customer text NOT NULL);
     INSERT INTO orders SELECT n, md5(n::text || '${pod}') FROM generate_series(1, ${rows}) n;`,
  )
  return ordersDigest(world, namespace, pod)
}

export function ordersDigest(world: World, namespace: string, pod: string): Promise<string> {
  return sql(world, namespace, pod, `SELECT count(*) || ' ' || md5(string_agg(o::text, E'\\n' ORDER BY id)) FROM orders o;`)
}
