import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filesPath, hideScript } from '../../../src/functions/hidden-script.ts'
import { secretValuesOf } from '../../../src/functions/secret-values.ts'
import { parseShellCommand } from '../../../src/functions/shell-command.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const secrets = secretValuesOf({
  Secrets: { db: { data: { password: base64('hunter<2>'), username: base64('postgres') } } },
  Profile: {
    Location: {},
    Credential: { Type: 'keyPair', KeyPair: { ID: 'AKIA1234', Secret: 'very/secret+key' } },
    SkipSSLVerify: false,
  },
})

describe('shell commands', () => {
  test.each([
    [['sh', '-c', 'S'], ['sh', '-c'], 'S', []],
    [
      ['bash', '-o', 'errexit', '-o', 'pipefail', '-c', 'S', 'a', 'b'],
      ['bash', '-o', 'errexit', '-o', 'pipefail', '-c'],
      'S',
      ['a', 'b'],
    ],
    [['/bin/bash', '-euo', 'pipefail', '-c', 'S'], ['/bin/bash', '-euo', 'pipefail', '-c'], 'S', []],
    [['bash', '-ceuo', 'pipefail', 'S'], ['bash', '-ceuo', 'pipefail'], 'S', []],
    [['bash', '-c', '-e', '--', 'S'], ['bash', '-c', '-e', '--'], 'S', []],
    [['busybox', 'sh', '-c', 'S'], ['busybox', 'sh', '-c'], 'S', []],
    [['bash', '--norc', '+o', 'posix', '-xc', 'S'], ['bash', '--norc', '+o', 'posix', '-xc'], 'S', []],
  ])('%j is taken apart', (command, before, script, after) => {
    expect(parseShellCommand(command)).toEqual({ before, script, after })
  })

  test.each([[['kando', 'location', 'push', '-c']], [['sh', 'file.sh']], [['sh', '-c']], [[]]])(
    '%j is no inline script',
    (command) => {
      expect(parseShellCommand(command)).toBeUndefined()
    },
  )
})

describe('hiding secrets of a command', () => {
  test('a command without secrets stays as it is', () => {
    expect(hideScript(['sh', '-c', 'echo hi'], secrets)).toEqual({
      command: ['sh', '-c', 'echo hi'],
      files: {},
      exposed: false,
    })
  })

  test('a secret in a plain command stays visible and is said', () => {
    expect(hideScript(['kando', '--profile', '{"Secret":"very/secret+key"}'], secrets).exposed).toBe(true)
  })

  test('a rendered Profile, a base64 value and JSON-escaped text are all found', () => {
    for (const text of ['{"Secret":"very/secret+key"}', base64('hunter<2>'), 'x hunter\\u003c2\\u003e y']) {
      const hidden = hideScript(['bash', '-c', text, 'name', 'arg'], secrets)

      expect(hidden).toEqual({
        command: ['bash', '-c', `. ${filesPath}/script`, 'name', 'arg'],
        files: { script: text },
        exposed: false,
      })
    }
  })

  test.each(['bash', 'sh'])('%s runs the hidden script as it would have run inline', (shell) => {
    const script = `
      # hunter<2>
      set -e
      trap 'echo "left $?"' EXIT
      echo "$0|$#|$1|$2|$-" | sed 's/[cs]//g'
      f() { return 3; }
      echo "it's" \\
        'two "lines"'
      f || echo "status $?"
      exit 7
      echo never`
    const command = [shell, '-e', '-c', script, 'zero', "o'ne", 'very/secret+key']
    const inline = run(command, {})

    const hidden = hideScript(command, secrets)

    expect(hidden.command.join(' ')).not.toContain('secret+key')
    expect(run(hidden.command, hidden.files)).toEqual(inline)
    expect(inline).toContain('left 7')
  })

  function run(command: readonly string[], files: Readonly<Record<string, string>>): string {
    const folder = mkdtempSync(join(tmpdir(), 'hidden-'))
    try {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
      const [program = '', ...args] = command.map((word) => word.replaceAll(filesPath, folder))
      execFileSync(program, args, { stdio: 'pipe' })
      return 'ended with 0'
    } catch (error) {
      const { status, stdout } = error as { status: number; stdout: Buffer }
      return `${status}\n${stdout.toString()}`
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
})

describe('redaction', () => {
  test('masks what protects and leaves what names', () => {
    expect(secrets.redact('user postgres password hunter<2> key very/secret+key id AKIA1234')).toBe(
      'user postgres password <redacted> key <redacted> id AKIA1234',
    )
  })
})
