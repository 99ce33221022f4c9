import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { imageNode } from '../../deploy/build.ts'
import { bundleProgram } from '../harness/bundle.ts'
import { removeBucket } from '../harness/world/bucket.ts'
import { openWorld, type WorldS3 } from '../harness/world/world.ts'
import { measureProcess } from './measure-process.ts'

/**
 * `kando location push -` of a pipe and `pull -`, in the bundle and with the flags of the image: `node test/bench/push.ts --mib 2048 --rounds 1`.
 * Memory is said above that of a push of one byte. Kanister's took 4.6 GB and 68 MB/s for 2 GiB. The last line is JSON.
 */
const { values } = parseArgs({
  options: { mib: { type: 'string', default: '2048' }, rounds: { type: 'string', default: '1' } },
})
const sizeBytes = Number(values.mib) * 2 ** 20

interface Cost {
  readonly mbPerSecond: number
  readonly cpuSecondsPerGB: number
  readonly aboveIdleMiB: number
}

async function main(): Promise<void> {
  const { s3 } = await openWorld()
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-push-'))
  const bucket = `bench-push-${randomBytes(4).toString('hex')}`
  const credentials = { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey }
  const client = new S3Client({ endpoint: s3.endpoint, region: s3.region, forcePathStyle: true, credentials })
  try {
    const program = await bundleProgram(join(folder, 'bundle'))
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
    const kando = (verb: string, inputFile?: string) =>
      measureProcess(
        process.execPath,
        [...imageNode.flags, program, 'kando', 'location', verb, '-', '-p', profileOf(s3, bucket), '-s', 'bench/object'],
        { env: imageNode.env, discardOutput: true, ...(inputFile === undefined ? {} : { inputFile }) },
      )
    const rounds: Array<{ readonly push: Cost; readonly pull: Cost }> = []
    for (let round = 0; round < Number(values.rounds); round++) {
      const idle = await kando('push', pipeOf(folder, 1))
      const push = await kando('push', pipeOf(folder, sizeBytes))
      const pull = await kando('pull')
      const costOf = ({ seconds, cpuSeconds, peakMiB }: typeof push): Cost => ({
        mbPerSecond: sizeBytes / 1e6 / seconds,
        cpuSecondsPerGB: cpuSeconds / (sizeBytes / 1e9),
        aboveIdleMiB: peakMiB - idle.peakMiB,
      })
      rounds.push({ push: costOf(push), pull: costOf(pull) })
      for (const [name, cost] of Object.entries(rounds.at(-1) ?? {})) say(name, cost as Cost)
    }
    console.log(JSON.stringify({ mib: Number(values.mib), rounds }))
  } finally {
    await removeBucket(client, bucket)
    client.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A pipe that gives so many bytes, no two blocks alike. */
function pipeOf(folder: string, length: number): string {
  const pipe = join(folder, `pipe-${randomBytes(4).toString('hex')}`)
  execFileSync('mkfifo', [pipe])
  const source = `openssl enc -aes-128-ctr -nosalt -K 00 -iv 00 </dev/zero 2>/dev/null | head -c ${length} >"$1"`
  spawn('sh', ['-c', source, 'sh', pipe], { stdio: 'ignore' })
  return pipe
}

function profileOf({ endpoint, accessKey, secretKey }: WorldS3, bucket: string): string {
  return JSON.stringify({
    Location: { type: 's3Compliant', bucket, endpoint, prefix: '', region: '' },
    Credential: { Type: 'keyPair', KeyPair: { ID: accessKey, Secret: secretKey }, Secret: null, KopiaServerSecret: null },
    SkipSSLVerify: false,
  })
}

function say(name: string, { mbPerSecond, cpuSecondsPerGB, aboveIdleMiB }: Cost): void {
  const figures = `${mbPerSecond.toFixed(0)} MB/s, ${cpuSecondsPerGB.toFixed(1)} CPU s a GB, ${aboveIdleMiB.toFixed(0)} MiB above idle`
  console.log(`${name} of ${values.mib} MiB: ${figures}`)
}

await main()
