import { kubeError } from '../kube/errors.ts'
import { kinds } from '../kube/kinds.ts'
import type { FunctionContext } from './context.ts'
import { functionError } from './errors.ts'
import type { PodVolume } from './job-pod.ts'

/**
 * Claims to mount, by name, each looked up first. A claim whose access modes contain ReadOnlyMany is mounted read-only, even if it could
 * be written, as in Kanister.
 */
export async function resolveClaims(
  ctx: Pick<FunctionContext, 'kube' | 'signal'>,
  namespace: string,
  mounts: Readonly<Record<string, string>>,
): Promise<PodVolume[]> {
  const names = Object.keys(mounts).sort()
  return Promise.all(
    names.map(async (claim) => ({ claim, path: mounts[claim] as string, readOnly: await isReadOnly(ctx, namespace, claim) })),
  )
}

async function isReadOnly(
  { kube, signal }: Pick<FunctionContext, 'kube' | 'signal'>,
  namespace: string,
  name: string,
): Promise<boolean> {
  try {
    const claim = await kube.resource(kinds.persistentVolumeClaims).get({ namespace, name }, { signal })
    if (claim.spec?.volumeMode === 'Block') throw blockVolume(namespace, name)
    return claim.spec?.accessModes?.includes('ReadOnlyMany') ?? false
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_NOT_FOUND')) throw error
    throw functionError(
      'FUNCTION_BAD_ARGS',
      `Failed to retrieve PVC. Namespace: ${namespace}, name: ${name}: there is no such PersistentVolumeClaim`,
      { cause: error },
    )
  }
}

function blockVolume(namespace: string, name: string): Error {
  return functionError(
    'FUNCTION_BAD_ARGS',
    `claim "${namespace}/${name}" is a block device and has no files; read it by BackupStream in a pod that has the device`,
  )
}

/** The claims of a pod of the workload acted on, at the paths where the application has them. */
export function claimsOfPod({ params }: Pick<FunctionContext, 'params'>, pod: string): Readonly<Record<string, string>> {
  const workload = params.StatefulSet ?? params.Deployment ?? params.DeploymentConfig
  const claims = workload?.PersistentVolumeClaims?.[pod]
  if (claims && Object.keys(claims).length > 0) return claims
  const known = Object.keys(workload?.PersistentVolumeClaims ?? {})
  throw functionError(
    'FUNCTION_BAD_ARGS',
    `Failed to get volumes of pod ${pod}: when the action began, it was no running pod with claims of the object acted on` +
      (known.length > 0 ? ` (those were ${known.join(', ')})` : '') +
      '; give `volumes` instead',
  )
}
