import type { Kube } from '../kube/kube.ts'
import type { PruneLease } from '../repository/prune-in-steps.ts'

/** The Lease under which one repository is pruned by one at a time, whoever in this cluster does it. `id`: of the repository. */
export function pruneLease(
  kube: Pick<Kube, 'leases'>,
  { namespace, holder, id }: { readonly namespace: string; readonly holder: string; readonly id: string },
): PruneLease {
  return async (work, signal) => {
    const lease = await kube.leases.acquire({ namespace, name: `holdfast-prune-${id.slice(0, 20)}`, holder }, { signal })
    try {
      return await work(AbortSignal.any([signal, lease.signal]))
    } finally {
      await lease.release()
    }
  }
}
