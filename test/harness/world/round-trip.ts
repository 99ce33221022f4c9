import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect } from 'vitest'
import type { ActionSet } from '../../../src/api/actionset.ts'
import { blueprintIn, findPublishedBlueprint } from '../../build/published-blueprints.ts'
import { listKeys } from './bucket.ts'
import { withS3 } from './fixtures.ts'
import { engineNamespace, type Installation, type SeenActionSet } from './installation.ts'
import { apply, type KubeObject } from './objects.ts'
import { waitFor } from './wait-for.ts'
import type { World } from './world.ts'

/** One application that goes through backup, destruction, restore and deletion. */
export interface RoundTrip {
  /** What the plugin gets for the backup beside action and Profile. */
  readonly target: readonly string[]
  /** What the delete gets beside `--from`. */
  readonly forDelete?: readonly string[]
  /** Changes the ActionSet of the backup, for what the plugin has no flag. */
  readonly change?: (actionSet: ActionSet) => ActionSet
  digest(): Promise<string>
  destroy(): Promise<void>
  /** Until the application can be looked at again after the restore. */
  settled?(): Promise<void>
  /** What may be in the bucket after the delete. */
  readonly left?: RegExp
}

export interface Places {
  /** Namespace of the applications. */
  readonly app: string
  readonly bucket: string
  readonly profile: string
}

/** Acts as a user of Blueprints does; for the tests of one file. */
export interface Traveller {
  /**
   * Installs the published Blueprint as it is, under a name of its own, since several have the same; where the machine does not have
   * it, one of ours (a file in test/e2e/blueprints) that uses the same functions in the same ways. Gives the name.
   */
  readonly install: (name: string, published: string, ours: string) => Promise<string>
  /** An ActionSet that must succeed. */
  readonly run: (args: readonly string[], change?: (actionSet: ActionSet) => ActionSet) => Promise<SeenActionSet>
  /** Backup, destroy, restore, delete; gives the ActionSet of the backup. */
  readonly roundTrip: (trip: RoundTrip) => Promise<SeenActionSet>
  /** That the phases left nothing: no pod, no Secret, no key that was not there before and `left` does not allow. */
  readonly expectNothingLeft: (keysBefore: readonly string[], left?: RegExp) => Promise<void>
  /** Keys of the bucket, but for the records of backups, which stay as history. */
  readonly dataKeys: () => Promise<string[]>
}

const ownBlueprints = resolve(import.meta.dirname, '../../e2e/blueprints')

export function useTraveller(world: () => World, holdfast: Installation, places: Places): Traveller {
  const { app, bucket, profile } = places

  async function install(name: string, published: string, ours: string): Promise<string> {
    const found = findPublishedBlueprint(published)
    const text = found?.text ?? readFileSync(resolve(ownBlueprints, ours), 'utf8')
    console.log(`${name}: ${found ? `${published} as it was published` : `our own ${ours}, since ${published} is not here`}`)
    const blueprint = { ...blueprintIn(text), metadata: { name: `${name}-${bucket.slice(-8)}` } }
    // Blueprints are objects of the API server, whatever is in them.
    await apply(world(), engineNamespace, blueprint as unknown as KubeObject)
    return blueprint.metadata.name
  }

  async function run(args: readonly string[], change?: (actionSet: ActionSet) => ActionSet): Promise<SeenActionSet> {
    const seen = await holdfast.ended(await holdfast.createActionSet(args, change), 240_000)
    expect(seen.status).toMatchObject({ state: 'complete', error: { message: '' } })
    return seen
  }

  async function roundTrip(trip: RoundTrip): Promise<SeenActionSet> {
    const [before, keysBefore] = [await trip.digest(), await dataKeys()]

    const backup = await run(['-a', 'backup', '-p', profile, ...trip.target], trip.change)
    expect(await dataKeys()).not.toEqual(keysBefore)
    await trip.destroy()
    expect(await trip.digest()).not.toBe(before)
    await run(['-a', 'restore', '--from', backup.metadata.name])
    await trip.settled?.()
    expect(await trip.digest()).toBe(before)
    await run(['-a', 'delete', '--from', backup.metadata.name, ...(trip.forDelete ?? [])])

    await expectNothingLeft(keysBefore, trip.left)
    return backup
  }

  async function expectNothingLeft(keysBefore: readonly string[], left?: RegExp): Promise<void> {
    expect((await dataKeys()).filter((key) => !keysBefore.includes(key) && !left?.test(key))).toEqual([])
    await waitFor('the pods of the phases to be gone', async () => (await podsOfPhases()).length === 0)
    const secrets = [...(await namesOf('secrets', app)), ...(await namesOf('secrets', engineNamespace))]
    expect(secrets.filter((name) => /\/(kanister-|prepare-|restore-|copy-)/.test(name))).toEqual([])
  }

  async function dataKeys(): Promise<string[]> {
    const keys = await withS3(world().s3, (client) => listKeys(client, bucket))
    // The chain of a backup says that it was removed, for as long as the bucket is there.
    return keys.filter((key) => !/^holdfast\/(records|chain)\//.test(key))
  }

  const namesOf = async (kind: string, namespace: string, ...args: string[]): Promise<string[]> =>
    (await world().kubectl(['get', kind, '-n', namespace, '-o', 'name', ...args])).split('\n').filter(Boolean)

  async function podsOfPhases(): Promise<string[]> {
    const made = ['-l', 'createdBy=kanister']
    return [...(await namesOf('pods', app, ...made)), ...(await namesOf('pods', engineNamespace, ...made))]
  }

  return { install, run, roundTrip, expectNothingLeft, dataKeys }
}

/** Keys of a repository whose snapshots are gone and whose space was given back. */
export const emptyRepository = /\/(config|keys\/[0-9a-f]{64})$/

/** Keys of a repository whose snapshots are gone; the Blueprint does not ask for its space. */
export const forgottenSnapshots = /\/(config|(keys|index)\/[0-9a-f]{64}|data\/[0-9a-f]{2}\/[0-9a-f]{64})$/
