import { stringify } from 'yaml'
import { customResourceDefinition } from '../../api/crd.ts'
import { kinds } from '../../api/kinds.ts'
import type { Json } from '../../schema/crd.ts'
import { roles } from './rights.ts'
import { webhook } from './webhook.ts'
import { operator, redis, workers, type Images } from './workloads.ts'

const namespace = 'holdfast'
const serviceAccount = 'holdfast'

/** The images that an installation uses when nobody says otherwise. */
export const defaultImages: Images = { engine: 'holdfast/holdfast:0.1.0', redis: 'redis:7-bookworm' }

/** Everything that `kubectl create -f` needs, in an order in which each object finds what it refers to. */
export function installManifest(images: Images = defaultImages): string {
  const objects: Json[] = [
    ...kinds.map(customResourceDefinition),
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: namespace,
        labels: { 'pod-security.kubernetes.io/enforce': 'baseline', 'pod-security.kubernetes.io/warn': 'baseline' },
      },
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: serviceAccount, namespace } },
    ...roles(namespace, serviceAccount),
    ...redis(namespace, images),
    ...webhook(namespace, serviceAccount),
    ...operator(namespace, serviceAccount, images),
    ...workers(namespace, serviceAccount, images),
  ]
  return objects
    .map((object) => stringify(object, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false }))
    .join('---\n')
}
