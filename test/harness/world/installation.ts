import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import type { ActionSet } from '../../../src/api/actionset.ts'
import { run } from '../machine/command.ts'
import { harnessFolders } from '../machine/folders.ts'
import { ensureEngineImage } from '../images/engine-image.ts'
import { profileObjects } from '../profile-objects.ts'
import { waitRolledOut } from './objects.ts'
import { waitFor } from './wait-for.ts'
import type { World, WorldS3 } from './world.ts'

const root = resolve(import.meta.dirname, '../../..')
export const engineNamespace = 'holdfast'

/** An ActionSet as kubectl gives it. */
export interface SeenActionSet {
  readonly metadata: { readonly name: string; readonly uid: string }
  readonly status?: {
    readonly state?: string
    readonly reason?: string
    readonly error?: { readonly message?: string }
    readonly warnings?: readonly string[]
    readonly progress?: Readonly<Record<string, unknown>>
    readonly actions?: ReadonlyArray<{
      readonly phases?: ReadonlyArray<{
        readonly name: string
        readonly state: string
        readonly output?: Readonly<Record<string, string>>
      }>
      readonly deferPhase?: {
        readonly name: string
        readonly state: string
        readonly output?: Readonly<Record<string, string>>
      }
      readonly artifacts?: Readonly<Record<string, { readonly keyValue?: Readonly<Record<string, string>> }>>
    }>
  }
}

/** Holdfast as a user installs it, and what a user does with it. */
export interface Installation {
  /**
   * `kubectl create actionset -n holdfast …`: gives the name that it printed. With `change`, what it prints with `--dry-run` is changed
   * and then created, as a user does for what it has no flag.
   */
  createActionSet(args: readonly string[], change?: (actionSet: ActionSet) => ActionSet): Promise<string>
  /** Waits until the ActionSet is complete or failed and gives it. */
  ended(name: string, timeoutMs?: number): Promise<SeenActionSet>
  get(name: string): Promise<SeenActionSet>
  /** Events about an object of the engine's namespace, oldest first: `reason: message`. `type` is Normal or Warning. */
  events(name: string, type?: 'Normal' | 'Warning'): Promise<string[]>
  /** What operator and worker have logged since they started. */
  logs(): Promise<string>
  /** A Profile with its Secret in the engine's namespace; gives its name. */
  profile(
    name: string,
    s3: Pick<WorldS3, 'podEndpoint' | 'region' | 'accessKey' | 'secretKey'>,
    bucket: string,
    prefix?: string,
  ): Promise<string>
}

/**
 * Installs Holdfast from this checkout by `deploy/install.yaml`, once for all test files: an installation of the same image and
 * manifest is used as it is, another one is replaced. The ActionSets and Profiles of the file are removed at its end. Call at the top level of a test file.
 */
export function useInstallation(world: () => World): Installation {
  const made = new Set<string>()
  beforeAll(() => installHoldfast(world()), 20 * 60_000)
  afterAll(async () => {
    if (made.size === 0) return
    await world().kubectl(['delete', '-n', engineNamespace, '--ignore-not-found', '--wait=false', ...made])
  })
  return {
    createActionSet: async (args, change) => {
      const words = ['-n', engineNamespace, ...args]
      const printed = change ? await createChanged(world(), words, change) : await plugin(world(), words)
      const name = /actionset (\S+) created/.exec(printed)?.[1]
      if (!name) throw new Error(`create actionset printed no name: ${printed}`)
      made.add(`actionset/${name}`)
      return name
    },
    ended: (name, timeoutMs = 120_000) => {
      made.add(`actionset/${name}`)
      return waitFor(
        `actionset ${name} to end`,
        async () => {
          const seen = await actionSet(world(), name)
          return seen.status?.state === 'complete' || seen.status?.state === 'failed' ? seen : undefined
        },
        { timeoutMs },
      )
    },
    get: (name) => actionSet(world(), name),
    events: async (name, type) => {
      const args = [
        'get',
        'events',
        '-n',
        engineNamespace,
        `--field-selector=involvedObject.name=${name}${type ? `,type=${type}` : ''}`,
        '--sort-by=.lastTimestamp',
        '-o',
      ]
      const text = await world().kubectl([...args, 'jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}'])
      return text.split('\n').filter((line) => line !== '')
    },
    logs: async () => {
      const of = (name: string): Promise<string> =>
        world().kubectl(['logs', '-n', engineNamespace, '--tail=-1', '-l', `app.kubernetes.io/name=${name}`])
      return (await of('holdfast-operator')) + (await of('holdfast-worker'))
    },
    profile: async (name, s3, bucket, prefix = '') => {
      made.add(`profile/${name}`).add(`secret/${name}`)
      await applyProfile(world(), { name, s3, bucket, prefix })
      return name
    },
  }
}

/** A Profile with its Secret in the engine's namespace. */
export async function applyProfile(world: World, { name, s3, bucket, prefix }: ProfileRequest): Promise<void> {
  const { podEndpoint: endpoint, region, accessKey, secretKey } = s3
  const objects = profileObjects({ name, namespace: engineNamespace, bucket, prefix, endpoint, region, accessKey, secretKey })
  await world.kubectl(['apply', '-f', '-'], { input: JSON.stringify(objects) })
}

export interface ProfileRequest {
  readonly name: string
  readonly s3: Pick<WorldS3, 'podEndpoint' | 'region' | 'accessKey' | 'secretKey'>
  readonly bucket: string
  readonly prefix: string
}

/** Installs it, or makes an installation be as this checkout says. `folders` are those of the world's cluster. */
export async function installHoldfast(world: World, folders = harnessFolders()): Promise<void> {
  const image = await ensureEngineImage(folders)
  await world.image('redis')
  const manifest = readFileSync(join(root, 'deploy/install.yaml'), 'utf8')
  const wanted = createHash('sha256').update(manifest).update(image.content).digest('hex')
  const input = withContent(manifest, wanted)
  await world.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], { input })
  for (const workload of ['deployment/holdfast-redis', 'deployment/holdfast-operator', 'statefulset/holdfast-worker'])
    await waitRolledOut(world, engineNamespace, workload)
}

/**
 * Images keep their name from build to build: pods of another content are told apart, and made anew, by an annotation. It is there from the
 * first moment, so that a fresh installation does not make its pods twice.
 */
function withContent(manifest: string, content: string): string {
  const documents = parseAllDocuments(manifest)
  for (const document of documents)
    if (
      ['holdfast-operator', 'holdfast-worker'].includes(String(document.getIn(['metadata', 'name']))) &&
      document.hasIn(annotated)
    )
      document.setIn([...annotated, 'annotations', 'holdfast.dev/test-content'], content)
  return documents.map((document) => document.toString()).join('---\n')
}

const annotated = ['spec', 'template', 'metadata']

/** The plugin itself, as kubectl calls it. */
function plugin(world: World, args: readonly string[]): Promise<string> {
  return run(join(root, 'bin/kubectl-create-actionset'), args, { env: { KUBECONFIG: world.kubeconfig } })
}

async function createChanged(
  world: World,
  args: readonly string[],
  change: (actionSet: ActionSet) => ActionSet,
): Promise<string> {
  const planned = parse(await plugin(world, [...args, '--dry-run'])) as ActionSet
  const input = JSON.stringify(change(planned))
  const name = await world.kubectl(['create', '-n', engineNamespace, '-f', '-', '-o', 'name'], { input })
  return `actionset ${name.trim().replace(/^.*\//, '')} created`
}

async function actionSet(world: World, name: string): Promise<SeenActionSet> {
  // The API server answers with an ActionSet.
  return JSON.parse(await world.kubectl(['get', 'actionset', '-n', engineNamespace, name, '-o', 'json'])) as SeenActionSet
}
