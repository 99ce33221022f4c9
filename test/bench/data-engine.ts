import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { openOrInitRepository } from '../../src/repository/open-repository.ts'
import { withPrefix } from '../../src/store/with-prefix.ts'
import type { ObjectStore } from '../../src/store/object-store.ts'
import { FolderStore } from '../harness/folder-store.ts'

/** Our side of the bench in a process of its own: `data-engine.ts backup|restore|dump|verify …`; prints one JSON line. */
async function main([action = '', at = '', ...rest]: readonly string[]): Promise<void> {
  const password = process.env.RESTIC_PASSWORD ?? ''
  const repository = await openOrInitRepository(
    await openStore(at),
    { passwords: [password] },
    { keys: [{ workingPassword: password }] },
  )
  const idleMiB = process.memoryUsage.rss() / 2 ** 20
  if (action === 'backup') {
    const stream = createReadStream(rest[0] ?? '', { highWaterMark: 1 << 20 })
    const result = await repository.backupStream({ stream, filename: 'data', verifyBlobs: rest[1] === 'verify' })
    print({ idleMiB, ...result })
  } else {
    const hash = action === 'verify' ? createHash('sha256') : undefined
    let sizeBytes = 0
    for await (const bytes of repository.restoreStream({ snapshot: { latest: true } })) {
      sizeBytes += bytes.length
      hash?.update(bytes)
    }
    print({ idleMiB, sizeBytes, sha256: hash?.digest('hex') })
  }
}

async function openStore(at: string): Promise<ObjectStore> {
  if (!at.startsWith('s3:')) return new FolderStore(at, { sync: true })
  // The SDK costs a second and 100 MB, which a folder does not need.
  const { S3Store } = await import('../../src/store/s3.ts')
  const { pathname, origin } = new URL(at.slice(3))
  const [bucket = '', ...prefix] = pathname.slice(1).split('/')
  const credentials = {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? '',
  }
  return withPrefix(new S3Store({ bucket, endpoint: origin, region: 'us-east-1', credentials }), prefix.join('/'))
}

function print(result: object): void {
  console.log(JSON.stringify({ ...result, peakMiB: process.resourceUsage().maxRSS / 1024 }))
}

await main(process.argv.slice(2))
