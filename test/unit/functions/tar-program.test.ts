import { describe, expect, test } from 'vitest'
import { createTarCommand, extractTarCommand, parseProbe } from '../../../src/functions/tar-program.ts'
import { judgeTar } from '../../../src/functions/tar-verdict.ts'

const gnu = { kind: 'gnu', version: 'tar (GNU tar) 1.34', xattrs: true, uid: 0, cwd: '/' } as const
const busybox = { ...gnu, kind: 'busybox', version: 'tar (busybox) 1.36.1', xattrs: false } as const

describe('the tar of an image', () => {
  test.each([
    ['version tar (GNU tar) 1.34\nCopyright\n\nxattrs \nuid 0\ncwd /srv\n', { kind: 'gnu', xattrs: true, uid: 0, cwd: '/srv' }],
    [
      'version tar (GNU tar) 1.30\n\nxattrs tar: XATTR support is not available\nuid 999\ncwd /\n',
      { kind: 'gnu', xattrs: false, uid: 999 },
    ],
    [
      'version tar (busybox) 1.36.1\n\nxattrs tar: unrecognized option: xattrs\nuid 0\ncwd /\n',
      { kind: 'busybox', xattrs: false },
    ],
    [
      "version tar: unrecognized option '--version'\nBusyBox v1.22.1 multi-call binary.\n\nxattrs x\nuid 0\ncwd /\n",
      { kind: 'busybox' },
    ],
    ['version bsdtar 3.6.2 - libarchive 3.6.2\n\nxattrs \nuid 0\ncwd /\n', { kind: 'other', xattrs: false }],
  ])('%j', (text, expected) => {
    expect(parseProbe(text)).toMatchObject(expected)
  })

  test('an image without tar has none', () => {
    expect(parseProbe('none\n')).toBeUndefined()
  })

  test('a folder gives its content; a dash is no option', () => {
    expect(createTarCommand(gnu, { folder: '/var/lib/data', name: '.' }).slice(-4)).toEqual(['-C', '/var/lib/data', '--', '.'])
    expect(createTarCommand(busybox, { folder: '/', name: '-odd' })).toEqual(['tar', '-c', '-f', '-', '-C', '/', './-odd'])
    expect(extractTarCommand(busybox, '/restore').slice(3)).toEqual([
      '/restore',
      'tar',
      '-x',
      '-p',
      '-f',
      '-',
      '-C',
      '/restore',
    ])
  })
})

describe("tar's verdict", () => {
  test('GNU: 1 is a warning that names files, 2 a failure', () => {
    const changed = judgeTar(gnu, 1, [
      'tar: data/log: file changed as we read it',
      "tar: Removing leading `/' from member names",
    ])

    expect(changed).toEqual({
      ok: true,
      warnings: ['files changed while they were read: tar: data/log: file changed as we read it'],
    })
    expect(judgeTar(gnu, 2, ['tar: data/x: Cannot open: Permission denied']).ok).toBe(false)
    expect(judgeTar(gnu, 0, [])).toEqual({ ok: true, warnings: [] })
    expect(judgeTar(gnu, 137, []).ok).toBe(false)
  })

  test('BusyBox: only files that vanished are a warning', () => {
    const vanished = ['tar: data/tmp: No such file or directory', 'tar: error exit delayed from previous errors']

    expect(judgeTar(busybox, 1, vanished)).toMatchObject({ ok: true, warnings: [expect.stringContaining('data/tmp')] })
    expect(judgeTar(busybox, 1, [...vanished, "tar: can't open 'data/x': Permission denied"]).ok).toBe(false)
    expect(judgeTar(busybox, 1, []).ok).toBe(false)
  })

  test('sockets that were left out are said', () => {
    expect(judgeTar(gnu, 0, ['tar: run/s.sock: socket ignored']).warnings).toEqual([
      'tar left out: tar: run/s.sock: socket ignored',
    ])
  })
})
