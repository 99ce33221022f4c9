import type { ExecTarget } from '../kube/exec/exec.ts'

/** A container as arguments name it; an empty name is the pod's default container. */
export interface ContainerName {
  readonly namespace: string
  readonly pod: string
  readonly container?: string | undefined
}

export function execTarget({ namespace, pod, container }: ContainerName): ExecTarget {
  return { namespace, pod, ...(container ? { container } : {}) }
}

/** For messages. */
export function placeOf({ namespace, pod, container }: ContainerName): string {
  return `${namespace}/${pod}${container ? `/${container}` : ''}`
}
