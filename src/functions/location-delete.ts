import { locationKeyBelow } from '../store/location.ts'
import { deleteObjectTree } from '../store/plain-object.ts'
import { object, text } from '../schema/build.ts'
import { artifactPath } from './artifact-prefix.ts'
import { defineFunction } from './define.ts'

export const locationDelete = defineFunction({
  name: 'LocationDelete',
  summary:
    'Deletes what `kando location push` wrote: the object of a path and everything below it. Nothing there is no failure.',
  args: object({
    artifact: text(
      "Path below the Profile's location. The bucket may stand before it, as `bucket/path` or `s3://bucket/path`; the prefix of the Profile is applied.",
    ),
  }),
  outputs: {},
  notes: [
    'The work is done by the engine, in no pod.',
    'Removed are the object, what belongs to it (its manifest) and all below `<path>/`. Kanister deletes whatever begins with the text, so `backup-1` takes `backup-10` along.',
    'A path that is empty, names the bucket alone or climbs out of the location is refused; Kanister then empties the bucket.',
  ],
  positional: ['artifact'],
  rbac: [],
  removes: true,
  resume: 'restart',
  async run(ctx, { artifact }) {
    const profile = ctx.profile()
    const key = locationKeyBelow(profile, artifactPath(artifact, profile.location.bucket))
    const store = await ctx.openStore()
    ctx.signal.throwIfAborted()
    const count = await deleteObjectTree(store, key, { signal: ctx.signal })
    ctx.log.info({ key, count }, 'Deleted objects of the location')
    return undefined
  },
})
