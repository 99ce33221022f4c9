/** Output of the functions that remove snapshots: by it the retention knows which repositories to prune. */
export const unprunedOutput =
  'Repositories that still hold the space of what was removed, as bucket and key, a line each; absent when reclaimSpace gave it back. PruneRepository takes each as its `backupArtifactPrefix`.'

/** Nothing is said of nothing: most outputs of a phase end up in a status that people read. */
export function unpruned(places: readonly string[]): { readonly unpruned?: string } {
  return places.length === 0 ? {} : { unpruned: [...new Set(places)].join('\n') }
}
