import { join } from 'node:path'
import { run } from '../machine/command.ts'
import { kubeconfigFile, type NodeSetup } from './programs.ts'

/** What a fresh cluster lacks: a default StorageClass, whose volumes are folders on the node. */
const objects = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: 'kubernetes.io/host-path',
  reclaimPolicy: 'Delete',
}

export async function applyObjects({ state }: NodeSetup): Promise<void> {
  const args = ['--kubeconfig', kubeconfigFile(state), 'apply', '-f', '-']
  await run(join(state, 'bin', 'kubectl'), args, { input: JSON.stringify(objects) })
}
