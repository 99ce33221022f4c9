import { expect, test } from 'vitest'
import { retentionCommands, type PlannedBackup } from '../../../src/cli/commands/retention/define.ts'
import { planRetention } from '../../../src/controllers/retention/plan.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { CatalogWorld } from '../../build/catalog-world.ts'

async function run(backups: readonly PlannedBackup[], ...words: string[]): Promise<{ out: string; err: string }> {
  const ran = { out: '', err: '' }
  const output = { out: (text: string) => void (ran.out += text), err: (text: string) => void (ran.err += text), live: false }
  const plan = () => Promise.resolve({ backups, problems: ['record x is not JSON'] })
  await retentionCommands({ output, plan }).parseAsync(words, { from: 'user' })
  return ran
}

const kept: PlannedBackup = {
  id: 'a-0',
  object: 'shop/statefulset/db',
  time: 0,
  keep: true,
  reasons: ['last', 'pinned: audit'],
}
const gone: PlannedBackup = { ...kept, id: 'b-0', keep: false, reasons: ['no rule keeps it'] }

test('the plan of a retention shows each backup with its reasons', async () => {
  const { out, err } = await run([kept, gone], 'plan', 'nightly')
  expect(out).toMatch(/shop\/statefulset\/db +1970-01-01T00:00:00Z +a-0 +keep +last, pinned: audit/)
  expect(out).toMatch(/b-0 +drop +no rule keeps it/)
  expect(out).toContain('1 stay, 1 go')
  expect(err).toContain('record x is not JSON')
  expect(JSON.parse((await run([kept], 'plan', 'nightly', '-o', 'json')).out)).toMatchObject([
    { id: 'a-0', decision: 'keep', reasons: ['last', 'pinned: audit'] },
  ])
})

test('the plan is what the engine then does, and changes nothing', async () => {
  const world = new CatalogWorld()
  world.blueprint({ delete: {} })
  world.schedule({ keepLast: 1 })
  await world.backUp(1)
  await world.backUp(0)
  await world.startEngine()
  await world.stopEngine()
  const schedule = world.api.read(ownKinds.schedules, 'holdfast', 'nightly')
  if (!schedule) throw new Error('the Schedule is gone')
  const options = { openCatalog: async () => world.catalog, now: world.clock.now(), signal: new AbortController().signal }

  const { verdicts } = await planRetention(schedule, { name: 'p' }, options)

  expect(verdicts.map(({ backup, keep, reasons }) => [backup.id, keep, reasons])).toEqual([
    ['uid0-0', true, expect.any(Array)],
    ['uid1-0', false, ['no rule keeps it']],
  ])
  expect(await world.left()).toHaveLength(2)
})
