import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { watchOutputs } from '../../../src/main/closed-output.ts'

const program = new URL('../../../src/main/holdfast.ts', import.meta.url).pathname

test.each([[['--help']], [['backup', 'list', '--help']], [['repo', '--help']]])(
  'nobody reads the output of %j: no word of it, exit code 0',
  async (words) => {
    const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
    // Long before the program has started.
    child.stdout.destroy()

    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])

    expect(said).toBe('')
    expect(code).toBe(0)
  },
)

test('nobody reads the errors: the exit code stays', async () => {
  const child = spawn(process.execPath, [program, 'backup', 'list'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stderr.destroy()

  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])

  expect(said).toBe('')
  expect(code).toBe(2)
})

test('output to a full disk is a failure', async () => {
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, [program, '--help'], { stdio: ['ignore', full, 'pipe'] })
  closeSync(full)
  if (!child.stderr) throw new Error('no pipe')

  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])

  expect(said).toMatch(/^Error: the output cannot be written: ENOSPC.*\n$/)
  expect(code).toBe(1)
})

test('work that was cut short gives the code of a broken pipe; another failure of it is not lost', () => {
  const output = new PassThrough()
  const stopped: Error[] = []
  const codes: number[] = []
  const watched = watchOutputs({
    outputs: [output],
    err: () => expect.unreachable(),
    stop: (reason) => void stopped.push(reason),
    finish: (code) => void codes.push(code),
  })
  const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' })
  expect(watched.caused(broken)).toBe(false)

  output.emit('error', broken)
  output.emit('error', broken)

  expect(stopped).toEqual([broken])
  expect(codes).toEqual([])
  expect(watched.caused(new Error('the bucket is gone'))).toBe(false)
  expect(codes).toEqual([])
  expect(watched.caused(new Error('the list ended early', { cause: broken }))).toBe(true)
  expect(codes).toEqual([141])
})
