import { randomBytes } from 'node:crypto'
import { harnessFolders } from '../machine/folders.ts'
import { ensureGoPrograms } from '../parts/go-programs.ts'
import { startServer } from './server-process.ts'

/** An S3 server of a test file's own, outside of every cluster: what is in it outlives them. */
export interface OwnS3 {
  readonly port: number
  readonly region: string
  readonly accessKey: string
  readonly secretKey: string
  stop(): Promise<void>
}

/** Listens on all addresses, so that pods reach it at the machine's address in their cluster (`world().hostIp`). */
export async function startOwnS3(): Promise<OwnS3> {
  const { versitygw } = await ensureGoPrograms(harnessFolders())
  const region = 'us-east-1'
  const [accessKey, secretKey] = [randomBytes(10).toString('hex'), randomBytes(20).toString('hex')]
  const server = await startServer({
    name: 's3',
    program: versitygw,
    args: (port, folder) => [`--port=0.0.0.0:${port}`, `--region=${region}`, '--keep-alive', '--quiet', 'posix', folder],
    env: { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
  })
  return { port: Number(new URL(server.endpoint).port), region, accessKey, secretKey, stop: () => server.stop() }
}
