import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import type { S3Settings } from '../../../src/store/s3/settings.ts'

/** A versitygw of this test alone, on a folder of its own, when a test must own the server. */
export interface S3Server {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** A new empty bucket's settings. */
  bucket(name: string): Promise<S3Settings>
  stop(): Promise<void>
}

export async function startVersitygw(program: string): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-s3-'))
  const port = await freePort()
  const accessKeyId = `key${randomBytes(6).toString('hex')}`
  const secretAccessKey = randomBytes(16).toString('hex')
  const args = ['--port', `127.0.0.1:${port}`, '--quiet', '--keep-alive', 'posix', folder]
  const env = { ...process.env, ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey }
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const endpoint = `http://127.0.0.1:${port}`
  await answers(endpoint, child)
  return {
    endpoint,
    accessKeyId,
    secretAccessKey,
    bucket: async (name) => {
      // The posix backend takes every folder for a bucket.
      await mkdir(join(folder, name))
      return { bucket: name, endpoint, credentials: { accessKeyId, secretAccessKey } }
    },
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function answers(endpoint: string, child: ChildProcess): Promise<void> {
  const until = Date.now() + 20_000
  for (;;) {
    if (child.exitCode !== null) throw new Error(`versitygw ended with code ${child.exitCode}`)
    try {
      await fetch(endpoint)
      return
    } catch (error) {
      if (Date.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
