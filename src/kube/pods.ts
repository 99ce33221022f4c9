import type { CallOptions } from './client.ts'
import type { Pod } from './kinds.ts'
import type { Live } from './objects.ts'

export interface PodRef {
  readonly namespace: string
  readonly name: string
}

export interface PodWaitOptions {
  readonly signal?: AbortSignal | undefined
  /** @default 900_000 for ready; none for completion */
  readonly timeoutMs?: number | undefined
  /** Called on each change seen, for progress texts such as "pending: pulling image". */
  readonly onChange?: (pod: Live<Pod>) => void
}

export interface PodLogOptions {
  readonly container?: string
  /** Go on until the container ends. @default true */
  readonly follow?: boolean
  readonly signal?: AbortSignal | undefined
  /** Longer lines arrive in pieces of this size. @default 4 MiB */
  readonly maxLineBytes?: number
}

export interface Pods {
  /**
   * Waits until the pod left Pending with all its init containers done; a pod that already Succeeded or Failed counts.
   * Image pull and configuration errors, a lost volume, a node that refuses it fail at once with KUBE_POD_STUCK;
   * time-out is KUBE_POD_NOT_READY with the scheduler's words; deletion is KUBE_POD_GONE.
   */
  waitStarted(pod: PodRef, options?: PodWaitOptions): Promise<Live<Pod>>
  /** Waits until Ready (for pods with readiness probes). Same failures; a pod that ended is KUBE_POD_FAILED. */
  waitReady(pod: PodRef, options?: PodWaitOptions): Promise<Live<Pod>>
  /**
   * Waits for the pod to Succeed. Failed is KUBE_POD_FAILED, naming container, exit code and reason. With `container`
   * the wait ends when that container terminated with 0, so that sidecars cannot hang it.
   */
  waitCompleted(pod: PodRef, options?: PodWaitOptions & { readonly container?: string }): Promise<Live<Pod>>
  /**
   * The lines of a container's log (stdout and stderr merged), each once, across cut connections. Lines that were
   * rotated away unread are KUBE_LOG_LOST.
   */
  logLines(pod: PodRef, options?: PodLogOptions): AsyncIterable<string>
  /** The last lines as one text; '' when there is no log. Never follows, never throws. */
  tailLog(
    pod: PodRef,
    options?: { readonly container?: string; readonly lines?: number; readonly signal?: AbortSignal },
  ): Promise<string>
  /** Deletes and waits until the pod is gone. Absence is success; `uid` protects a namesake. */
  remove(pod: PodRef, options?: CallOptions & { readonly uid?: string; readonly gracePeriodSeconds?: number }): Promise<void>
}
