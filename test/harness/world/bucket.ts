import {
  AbortMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3'

/** Keys of a bucket, in order. */
export async function listKeys(client: S3Client, bucket: string): Promise<string[]> {
  const keys: string[] = []
  for (let token: string | undefined; ;) {
    const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, ContinuationToken: token }))
    keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []))
    token = page.NextContinuationToken
    if (token === undefined) return keys
  }
}

/** Removes a bucket with its policy, its objects and its unfinished uploads. */
export async function removeBucket(client: S3Client, bucket: string): Promise<void> {
  await client.send(new DeleteBucketPolicyCommand({ Bucket: bucket })).catch(() => undefined)
  await abortUploads(client, bucket)
  for (;;) {
    const page = await client.send(new ListObjectsV2Command({ Bucket: bucket }))
    const keys = (page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [{ Key }]))
    if (keys.length === 0) break
    // What a test has locked was locked in governance mode.
    const input = { Bucket: bucket, Delete: { Objects: keys, Quiet: true }, BypassGovernanceRetention: true }
    const result = await client.send(new DeleteObjectsCommand(input))
    const refused = result.Errors?.[0]
    if (refused) throw new Error(`cannot remove ${refused.Key} from bucket ${bucket}: ${refused.Code} ${refused.Message}`)
  }
  await client.send(new DeleteBucketCommand({ Bucket: bucket }))
}

async function abortUploads(client: S3Client, bucket: string): Promise<void> {
  const page = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
  for (const { Key, UploadId } of page.Uploads ?? []) {
    await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
  }
}
