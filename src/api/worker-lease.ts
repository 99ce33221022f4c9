/** The Lease by which a worker shows that it lives, in the namespace of the engine. */
export function workerLeaseName(workerName: string): string {
  return `holdfast-worker-${workerName}`
}

/** `holderIdentity` of that Lease: tells a process from an earlier one of the same name. */
export function holderOf(worker: { readonly name: string; readonly instance: string }): string {
  return `${worker.name}/${worker.instance}`
}
