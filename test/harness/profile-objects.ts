export interface S3Profile {
  readonly name: string
  readonly namespace: string
  readonly bucket: string
  readonly endpoint: string
  readonly region: string
  readonly accessKey: string
  readonly secretKey: string
  readonly prefix?: string
}

/** A Secret and the Profile that names it, as kubectl takes them. */
export function profileObjects({
  name,
  namespace,
  bucket,
  endpoint,
  region,
  accessKey,
  secretKey,
  prefix = '',
}: S3Profile): object {
  const secret = { apiVersion: 'v1', kind: 'Secret', name, namespace }
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace },
        stringData: { aws_access_key_id: accessKey, aws_secret_access_key: secretKey },
      },
      {
        apiVersion: 'cr.kanister.io/v1alpha1',
        kind: 'Profile',
        metadata: { name, namespace },
        location: { type: 's3Compliant', bucket, endpoint, region, prefix },
        credential: {
          type: 'keyPair',
          keyPair: { idField: 'aws_access_key_id', secretField: 'aws_secret_access_key', secret },
        },
      },
    ],
  }
}
