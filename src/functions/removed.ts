/**
 * Functions that Blueprints name and this engine does not have, with what to use instead. They are refused by name before
 * anything runs.
 */
export const removedFunctions: Readonly<Record<string, string>> = {
  CreateVolumeSnapshot:
    'it snapshotted in-tree cloud disks and was removed from Kanister 0.115; use CSI snapshots or BackupData',
  WaitForSnapshotCompletion: 'it belonged to CreateVolumeSnapshot and was removed from Kanister 0.115',
  CreateVolumeFromSnapshot: 'it belonged to CreateVolumeSnapshot and was removed from Kanister 0.115; use RestoreData',
  DeleteVolumeSnapshot: 'it belonged to CreateVolumeSnapshot and was removed from Kanister 0.115; use DeleteData',
  DescribeBackups: 'it was removed from Kanister in 2023; list snapshots with restic or look at the backup records',
  BackupDataUsingKopiaServer:
    'it was removed from Kanister in 2026 together with RepositoryServer; use BackupData or BackupStream',
  RestoreDataUsingKopiaServer:
    'it was removed from Kanister in 2026 together with RepositoryServer; use RestoreData or RestoreStream',
  DeleteDataUsingKopiaServer: 'it was removed from Kanister in 2026 together with RepositoryServer; use DeleteData',
  CreateCSISnapshot: 'CSI snapshots are not here yet; use BackupData on a paused application',
  CreateCSISnapshotStatic: 'CSI snapshots are not here yet; use BackupData on a paused application',
  RestoreCSISnapshot: 'CSI snapshots are not here yet; use RestoreData',
  DeleteCSISnapshot: 'CSI snapshots are not here yet; delete the VolumeSnapshot with KubeTask and kubectl',
  DeleteCSISnapshotContent: 'CSI snapshots are not here yet; delete the VolumeSnapshotContent with KubeTask and kubectl',
  CreateRDSSnapshot: 'RDS is not supported; call the AWS CLI in a KubeTask',
  ExportRDSSnapshotToLocation: 'RDS is not supported; dump the database with BackupStream',
  RestoreRDSSnapshot: 'RDS is not supported; call the AWS CLI in a KubeTask, or load a dump with RestoreStream',
  DeleteRDSSnapshot: 'RDS is not supported; call the AWS CLI in a KubeTask',
}
