import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, openSync } from 'node:fs'
import { fileSource } from '../../src/repository/file-source.ts'
import { openOrInitRepository } from '../../src/repository/open-repository.ts'
import type { ObjectStore } from '../../src/store/object-store.ts'
import { withPrefix } from '../../src/store/with-prefix.ts'
import { FolderStore } from '../harness/folder-store.ts'
import { countedStore } from './counted-store.ts'

/**
 * Our side of the bench in a process of its own: `data-engine.ts backup|folder|tar|stream|restore|verify STORE …`; prints one JSON line. Like restic, `backup`
 * makes no hash of the whole unless told so.
 */
async function main([action = '', at = '', what = '', how = '']: readonly string[]): Promise<void> {
  const password = process.env.RESTIC_PASSWORD ?? ''
  const { store, traffic } = countedStore(await openStore(at), action === 'stream')
  const repository = await openOrInitRepository(store, { passwords: [password] }, { keys: [{ workingPassword: password }] })
  const pool = randomBytes(action === 'stream' ? noiseBytes : 0)
  const idleMiB = process.memoryUsage.rss() / 2 ** 20
  const actions: Readonly<Record<string, () => Promise<object>>> = {
    backup: () =>
      repository.backupStream({
        stream: fileSource(openSync(what, 'r')),
        filename: 'data',
        verifyBlobs: how === 'verify',
        digest: how === 'digest',
      }),
    folder: () => repository.backupFolder({ paths: [what] }),
    tar: () => repository.backupTar({ tar: createReadStream(what, { highWaterMark: tarReadBytes }), prefixPath: '/data' }),
    stream: () => repository.backupStream({ stream: noise(pool, Number(what)), filename: 'data', digest: false }),
    restore: () => read(false),
    verify: () => read(true),
  }
  const result = await actions[action]?.()
  console.log(JSON.stringify({ idleMiB, ...result, ...traffic, peakMiB: process.resourceUsage().maxRSS / 1024 }))

  async function read(hashing: boolean): Promise<{ readonly sizeBytes: number; readonly sha256?: string }> {
    const hash = createHash('sha256')
    let sizeBytes = 0
    for await (const bytes of repository.restoreStream({ snapshot: { latest: true }, lend: true })) {
      sizeBytes += bytes.length
      if (hashing) hash.update(bytes)
    }
    return { sizeBytes, ...(hashing && { sha256: hash.digest('hex') }) }
  }
}

/** As a frame of an exec has them at most. */
const tarReadBytes = 256 << 10
const noiseBytes = 16 << 20
const pieceBytes = 1 << 20
/** Shorter than the shortest chunk, so that every chunk has a stamp of its own. */
const stampEveryBytes = 64 << 10

/**
 * Unique bytes, so that every blob is new and the set of ids grows as it can at worst. Always the same memory with other stamps: what the source throws
 * away is not the engine's, and V8 lets some 100 MiB of it lie at this speed.
 */
async function* noise(pool: Buffer, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < sizeBytes; at += pieceBytes) {
    const piece = pool.subarray(at % noiseBytes, (at % noiseBytes) + pieceBytes)
    for (let stamp = 0; stamp < pieceBytes; stamp += stampEveryBytes) piece.writeDoubleLE(at + stamp, stamp)
    yield piece
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

await main(process.argv.slice(2))
