import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, it } from 'vitest'
import { s3Client, useBucket, useNamespace, useWorld } from '../../harness/world/fixtures.ts'
import { apply, findObject, shellIn, waitRolledOut } from '../../harness/world/objects.ts'
import { waitFor } from '../../harness/world/wait-for.ts'
import { createS3User } from '../../harness/world/s3-user.ts'

const world = useWorld()
const namespace = useNamespace(world)
const bucket = useBucket(world)

it('runs a PostgreSQL with a volume, found by its Service name, that reaches the S3 server and the API server', async () => {
  const image = await world().image('postgres')
  await apply(world(), namespace, service, statefulSet(image))
  await waitRolledOut(world(), namespace, 'statefulset/db')

  const query = 'PGPASSWORD=secret psql --host db --username postgres app --tuples-only --no-align --command "select 40 + 2"'
  // The Service answers when kube-proxy has heard of its pod, up to a second after the pod is ready.
  const answer = await waitFor('an answer through the Service', () => shellIn(world(), namespace, 'db-0', query))
  expect(answer).toBe('42\n')

  const s3 = new URL(world().s3.podEndpoint)
  const reach = `bash -c ': </dev/tcp/${s3.hostname}/${s3.port} && : </dev/tcp/kubernetes.default.svc/443 && echo reached'`
  expect(await shellIn(world(), namespace, 'db-0', reach)).toBe('reached\n')

  const claim = await findObject(world(), namespace, 'persistentvolumeclaim/data-db-0')
  expect(claim?.['status']).toMatchObject({ phase: 'Bound' })
})

it('gives users who may not delete what they wrote', async () => {
  const user = await createS3User(world(), bucket, ['s3:GetObject', 's3:PutObject'])
  const client = s3Client({ ...world().s3, ...user })

  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'kept', Body: 'text' }))
  const deletion = client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'kept' }))

  await expect(deletion).rejects.toMatchObject({ name: 'AccessDenied' })
  const kept = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'kept' }))
  expect(await kept.Body?.transformToString()).toBe('text')
  client.destroy()
})

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'db' },
  spec: { selector: { app: 'db' }, ports: [{ port: 5432 }] },
}

const statefulSet = (image: string) => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db' },
  spec: {
    serviceName: 'db',
    selector: { matchLabels: { app: 'db' } },
    template: {
      metadata: { labels: { app: 'db' } },
      spec: {
        containers: [
          {
            name: 'postgres',
            image,
            imagePullPolicy: 'IfNotPresent',
            env: [
              { name: 'POSTGRES_PASSWORD', value: 'secret' },
              { name: 'POSTGRES_DB', value: 'app' },
            ],
            readinessProbe: { exec: { command: ['pg_isready', '--host', '127.0.0.1'] }, periodSeconds: 1 },
            volumeMounts: [{ name: 'data', mountPath: '/var/lib/postgresql/data' }],
          },
        ],
      },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ],
  },
})
