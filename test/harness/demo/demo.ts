import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { profileObjects } from '../profile-objects.ts'
import { Narrator } from './narrator.ts'
import type { Stage } from './stage.ts'

const root = resolve(import.meta.dirname, '../../..')
const rows = 5000

/** Backs up a live PostgreSQL, destroys its data, brings it back and compares. Gives the exit code. */
export async function runDemo(prepare: (narrator: Narrator) => Promise<Stage>): Promise<number> {
  const narrator = new Narrator()
  narrator.title('Holdfast: a PostgreSQL loses its data and gets it back')
  const stage = await prepare(narrator)
  await narrator.step('Holdfast is installed', () => installHoldfast(stage, narrator))
  await narrator.step(`A shop opens: a PostgreSQL with ${rows} orders`, () => openShop(stage, narrator))
  const before = await digest(stage)
  narrator.says(`digest of all orders: ${before}\n`)
  const backup = await narrator.step('Its data is backed up', () => backUp(stage, narrator))
  await narrator.step('Disaster: the table is dropped', () => destroy(stage, narrator))
  await narrator.step('The data is brought back', () => restore(stage, narrator, backup))
  const after = await narrator.step('Is it the same?', () => compare(stage, narrator, before))
  narrator.title(after === before ? 'Every order is back, byte for byte.' : 'THE DATA IS NOT THE SAME.')
  narrator.summary()
  console.log(`${stage.farewell}\n`)
  return after === before ? 0 : 1
}

async function installHoldfast({ kubectl, s3 }: Stage, narrator: Narrator): Promise<void> {
  narrator.command('kubectl create -f deploy/install.yaml')
  if ((await kubectl.run(['get', 'namespace', 'holdfast', '--ignore-not-found', '-o', 'name'])) === '') {
    await kubectl.run(['create', '-f', join(root, 'deploy/install.yaml')])
  } else {
    // Installed by an earlier run, perhaps of another version.
    await kubectl.run(['apply', '--server-side', '--force-conflicts', '-f', join(root, 'deploy/install.yaml')])
    await kubectl.run(['rollout', 'restart', '-n', 'holdfast', 'deployment/holdfast-operator', 'statefulset/holdfast-worker'])
  }
  for (const workload of ['deployment/holdfast-redis', 'deployment/holdfast-operator', 'statefulset/holdfast-worker']) {
    await kubectl.run(['rollout', 'status', '-n', 'holdfast', workload, '--timeout=120s'])
  }
  narrator.command('kubectl apply -f blueprints/postgresql/logical.yaml   # and a Profile: where the backups go')
  await kubectl.run(['apply', '-n', 'holdfast', '-f', join(root, 'blueprints/postgresql/logical.yaml')])
  await kubectl.run(['apply', '-f', '-'], JSON.stringify(profileObjects({ ...s3, name: 'bucket', namespace: 'holdfast' })))
  narrator.says(await kubectl.run(['get', 'pods', '-n', 'holdfast']))
}

async function openShop({ kubectl }: Stage, narrator: Narrator): Promise<void> {
  await kubectl.run(['delete', 'namespace', 'shop', '--ignore-not-found', '--wait', '--timeout=120s'])
  narrator.command('kubectl apply -f test/harness/demo/shop.yaml')
  await kubectl.run(['apply', '-f', '-'], readFileSync(join(import.meta.dirname, 'shop.yaml'), 'utf8'))
  await kubectl.run(['rollout', 'status', '-n', 'shop', 'statefulset/db', '--timeout=180s'])
  await sql(
    kubectl,
    `CREATE TABLE orders (id int PRIMARY KEY, customer text NOT NULL, cents int NOT NULL, placed timestamptz NOT NULL);
     INSERT INTO orders SELECT n, 'customer ' || md5(n::text), (n * 7919) % 100000, timestamptz '2026-01-01' + n * interval '97 seconds' FROM generate_series(1, ${rows}) n;`,
  )
  narrator.says(await sql(kubectl, 'SELECT count(*) AS orders, sum(cents) / 100.0 AS turnover FROM orders;', ['--expanded']))
}

async function backUp({ kubectl }: Stage, narrator: Narrator): Promise<string> {
  const args = [
    'create',
    'actionset',
    '-n',
    'holdfast',
    '--action',
    'backup',
    '--blueprint',
    'postgresql',
    '--statefulset',
    'shop/db',
    '--profile',
    'bucket',
    '--wait',
  ]
  narrator.command(`kubectl ${args.join(' ')}`)
  const created = await kubectl.show(args, (line) => narrator.says(line))
  const name = /actionset (\S+) created/.exec(created)?.[1]
  if (!name) throw new Error(`kubectl create actionset printed no name: ${created}`)
  narrator.says(
    await kubectl.run(['get', 'actionset', '-n', 'holdfast', name, '-o', 'jsonpath={.status.actions[0].artifacts}']),
  )
  return name
}

async function destroy({ kubectl }: Stage, narrator: Narrator): Promise<void> {
  narrator.command('psql: DROP TABLE orders')
  await sql(kubectl, 'DROP TABLE orders;')
  const answer = await sql(kubectl, 'SELECT count(*) FROM orders;').catch((error: Error) => error.message)
  narrator.says(/ERROR:.*/.exec(answer)?.[0] ?? answer)
}

async function restore({ kubectl }: Stage, narrator: Narrator, backup: string): Promise<void> {
  const args = ['create', 'actionset', '-n', 'holdfast', '--action', 'restore', '--from', backup, '--wait']
  narrator.command(`kubectl ${args.join(' ')}`)
  await kubectl.show(args, (line) => narrator.says(line))
}

async function compare(stage: Stage, narrator: Narrator, before: string): Promise<string> {
  const after = await digest(stage)
  narrator.says(`before  ${before}\nafter   ${after}`)
  return after
}

/** One hash over every row in order. */
function digest({ kubectl }: Stage): Promise<string> {
  return sql(kubectl, `SELECT md5(string_agg(o::text, E'\\n' ORDER BY id)) FROM orders o;`, [
    '--tuples-only',
    '--no-align',
  ]).then((text) => text.trim())
}

function sql(kubectl: Stage['kubectl'], text: string, flags: readonly string[] = []): Promise<string> {
  const psql = ['psql', '--quiet', '--username=postgres', '--dbname=shop', '--set=ON_ERROR_STOP=1', ...flags]
  return kubectl.run(['exec', '-i', '-n', 'shop', 'db-0', '-c', 'postgres', '--', ...psql], text)
}
