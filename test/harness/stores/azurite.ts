import { harnessFolders } from '../machine/folders.ts'
import { ensureAzurite } from '../parts/azurite.ts'
import { type StoreServer, startServer } from './server-process.ts'

/** The account that every emulator of Azure Storage has, by Microsoft's documentation. Its key is public. */
export const azuriteAccount = {
  name: 'devstoreaccount1',
  key: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
} as const

export async function startAzurite(): Promise<StoreServer> {
  const script = await ensureAzurite(harnessFolders())
  return startServer({
    name: 'azurite',
    program: process.execPath,
    args: (port, folder) => [
      ...[script, '--blobHost', '127.0.0.1', '--blobPort', String(port), '--location', folder],
      ...['--silent', '--disableTelemetry', '--skipApiVersionCheck'],
    ],
  })
}
