import { randomInt } from 'node:crypto'
import { map, object, optional, text } from '../schema/build.ts'
import { fits } from '../schema/check.ts'
import type { FunctionContext } from './context.ts'

/** The tag of a backup in the making: by it a later attempt finds the snapshot that an earlier one finished. */
const TagCheckpoint = object({
  backupTag: text('Tag of the snapshot.'),
  outputs: optional(map(text('Value.'), 'What the command reported before its end, which no snapshot holds.')),
})

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** The tag of an earlier attempt, when this one resumes it. */
export function resumedTag(resumed: unknown): string | undefined {
  return fits(TagCheckpoint, resumed) ? resumed.backupTag : undefined
}

/** What the command of an earlier attempt had reported when its snapshot was written. */
export function resumedOutputs(resumed: unknown): Readonly<Record<string, string>> {
  return (fits(TagCheckpoint, resumed) ? resumed.outputs : undefined) ?? {}
}

/** Ten lower-case letters and digits, as Kanister's; noted in the Run before anything is written under it. */
export async function claimTag(ctx: Pick<FunctionContext, 'checkpoint'>): Promise<string> {
  const backupTag = Array.from({ length: 10 }, () => letters[randomInt(letters.length)]).join('')
  await ctx.checkpoint({ backupTag })
  return backupTag
}
