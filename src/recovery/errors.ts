import { defineErrors } from '../base/errors.ts'

/** What can keep a backup from coming back. */
export const recoveryError = defineErrors({
  RECOVERY_NO_BACKUP: { next: 'stop', summary: 'No backup, or more than one, goes by the name that was given.' },
  RECOVERY_LOCKED: { next: 'stop', exit: 12, summary: 'A record or repository is locked, and no key given opens it.' },
  RECOVERY_NO_DATA: { next: 'stop', summary: 'Nothing, or more than one thing, of what a backup names is where it was put.' },
  RECOVERY_ALTERED: { next: 'stop', summary: 'Data of a backup is not what was backed up.' },
  RECOVERY_BLOCKED: { next: 'stop', exit: 5, summary: 'The plan names something that would make the restore fail.' },
  RECOVERY_APPLICATION: { next: 'stop', exit: 6, summary: 'The application was made again and did not become ready.' },
  RECOVERY_FOREIGN: { next: 'stop', exit: 7, summary: 'Another installation owns these backups; they can be read only.' },
})
