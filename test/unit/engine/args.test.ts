import { describe, expect, test } from 'vitest'
import { checkArgNames, checkFixedArgs, decodeArgs, nameArgs } from '../../../src/engine/args.ts'
import { defineFunction, type PhaseFunction } from '../../../src/functions/define.ts'
import { integer, list, object, optional, text, withDefault } from '../../../src/schema/build.ts'

const fn = defineFunction({
  name: 'Exec',
  summary: 'For tests.',
  args: object({
    namespace: text('Where.'),
    command: list(text('A word.'), 'What.'),
    tries: withDefault(integer('How often.'), 3),
    note: optional(text('Why.')),
  }),
  outputs: {},
  positional: ['namespace', 'command'],
  aliases: { ns: 'namespace' },
  rbac: [],
  resume: 'restart',
  run: async () => undefined,
}) as unknown as PhaseFunction

describe('arguments', () => {
  test('come by name; null is absent; other spellings are the names they stand for', () => {
    expect(nameArgs(fn, { ns: 'a', command: ['x'], note: null })).toEqual({
      named: { namespace: 'a', command: ['x'] },
      faults: [],
    })
  })

  test('come as the positional list of 2018, the last taking the rest', () => {
    expect(nameArgs(fn, ['a', 'sh', '-c', 'true']).named).toEqual({ namespace: 'a', command: ['sh', '-c', 'true'] })
    expect(nameArgs(fn, ['a', 'true']).named).toEqual({ namespace: 'a', command: 'true' })
  })

  test('may be left out altogether', () => {
    expect(nameArgs(fn, undefined)).toEqual({ named: {}, faults: [] })
    expect(nameArgs(fn, 'text').faults).toHaveLength(1)
  })

  test('that are missing or not known are named in Kanister’s words; those with a default may be absent', () => {
    expect(checkArgNames(fn, { namespace: 'a', zzz: 1 })).toEqual([
      'Required args missing for function Exec: Required arg missing: command',
      'Checking supported args for function Exec.: argument zzz is not supported; it takes namespace, command, tries, note',
    ])
  })

  test('without templates are checked before anything runs; those with templates wait until they are rendered', () => {
    expect(checkFixedArgs(fn, { tries: 'many' })).toEqual([
      'Failed to decode arg `tries` of function Exec: tries must be a whole number, got a text',
    ])
    expect(checkFixedArgs(fn, { tries: '{{ .Options.tries }}' })).toEqual([])
  })

  test('are decoded as text comes out of templates', () => {
    expect(decodeArgs(fn, { namespace: 'a', command: 'true', tries: '5' })).toEqual({
      namespace: 'a',
      command: ['true'],
      tries: 5,
    })
    expect(() => decodeArgs(fn, { namespace: 'a', command: {}, tries: 'x' })).toThrow(/`tries`/)
  })
})
