/** The prefix of the repository of one pod, as BackupDataAll lays them out. */
export function podRepository(backupArtifactPrefix: string, pod: string): string {
  return `${backupArtifactPrefix.replace(/\/+$/, '')}/${pod}`
}
