import { generateKeyPairSync } from 'node:crypto'
import { harnessFolders } from '../machine/folders.ts'
import { ensureTestProgram } from '../parts/go-programs.ts'
import { type StoreServer, startServer } from './server-process.ts'

/** Google Cloud Storage as far as fake-gcs-server knows it. It takes any token. `publicHost`: what it calls itself, where a proxy stands before it. */
export async function startFakeGcs(
  options: { readonly publicHost?: string; readonly port?: number } = {},
): Promise<StoreServer> {
  const program = await ensureTestProgram(harnessFolders(), 'fake-gcs-server')
  return startServer({
    name: 'fake-gcs',
    program,
    ...(options.port === undefined ? {} : { port: options.port }),
    args: (port, folder) => [
      ...['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-backend', 'filesystem'],
      ...['-filesystem-root', folder, '-public-host', options.publicHost ?? `127.0.0.1:${port}`, '-log-level', 'error'],
    ],
  })
}

export async function createGcsBucket(endpoint: string, name: string): Promise<void> {
  const answer = await fetch(`${endpoint}/storage/v1/b?project=test`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  })
  if (!answer.ok) throw new Error(`bucket ${name}: ${answer.status} ${await answer.text()}`)
}

/** The text of a service account's key file, with a key of its own. */
export function serviceAccountKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return JSON.stringify({
    type: 'service_account',
    project_id: 'test',
    private_key_id: 'k1',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: 'holdfast@test.iam.gserviceaccount.com',
  })
}
