import { describe, expect, test } from 'vitest'
import { describeFunctions } from '../../../src/functions/describe.ts'
import { findFunction, getFunction, phaseFunctions } from '../../../src/functions/registry.ts'
import { removedFunctions } from '../../../src/functions/removed.ts'
import { decodeWeak } from '../../../src/schema/weak.ts'

describe('looking functions up', () => {
  test.each(['', 'v0.0.0', '0.0.0', 'v0.0.0+x', 'v1', '1.2', 'v1.0.0-rc.1'])('version %j is the one there is', (version) => {
    expect(getFunction('KubeExec', version).name).toBe('KubeExec')
  })

  test.each(['latest', 'junk', 'v1.2.3.4', '1.x'])('%j is no version', (version) => {
    expect(() => getFunction('KubeExec', version)).toThrow(
      `Failed to parse function version {${version}}: Invalid Semantic Version`,
    )
  })

  test('an unknown name is refused; case matters, and a near miss is offered', () => {
    expect(findFunction('kubeexec')).toBeUndefined()
    expect(() => getFunction('kubeexec')).toThrow(
      'Requested function {kubeexec} has not been registered; did you mean KubeExec?',
    )
    expect(() => getFunction('toString')).toThrow('has not been registered; there are KubeExec')
  })

  test('what was removed says what to use instead', () => {
    expect(() => getFunction('BackupDataUsingKopiaServer')).toThrow(/use BackupData or BackupStream/)
  })

  test('no function is both there and removed, and no name is there twice', () => {
    const names = phaseFunctions.map(({ name }) => name)

    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => name in removedFunctions)).toEqual([])
  })
})

describe('declarations', () => {
  test.each(phaseFunctions.map((fn) => [fn.name, fn] as const))(
    '%s: spellings and positions name its arguments',
    (_name, fn) => {
      const args = Object.keys(fn.args.properties)

      expect(args).toEqual(expect.arrayContaining([...Object.values(fn.aliases ?? {}), ...(fn.positional ?? [])]))
      expect(Object.keys(fn.aliases ?? {}).filter((alias) => args.includes(alias))).toEqual([])
      expect(fn.makesPods === true).toBe(fn.makesPods === true && args.includes('podOverride'))
    },
  )

  test('arguments are read as weakly as Kanister reads them', () => {
    const task = getFunction('KubeTask')
    const read = (args: object): unknown => decodeWeak(task.args, args).value

    expect(read({ image: 5, command: 'echo hi', namespace: true })).toEqual({
      image: '5',
      command: ['echo hi'],
      namespace: '1',
    })
    expect(read({ image: 'i', command: ['a', 5, true, 1.5] })).toMatchObject({ command: ['a', '5', '1', '1.5'], namespace: '' })
  })

  test('the page names every function, argument and output', () => {
    const page = describeFunctions()

    for (const { name, args, outputs } of phaseFunctions) {
      expect(page).toContain(`## ${name}\n`)
      for (const word of [...Object.keys(args.properties), ...Object.keys(outputs)]) expect(page).toContain(`\`${word}\``)
    }
  })
})
