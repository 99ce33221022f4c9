import { defineErrors } from '../base/errors.ts'

export const scheduleError = defineErrors({
  SCHEDULE_BAD_CRON: { next: 'stop', summary: 'The cron text of a schedule cannot be read, or names a time that never comes.' },
  SCHEDULE_BAD_TIME_ZONE: { next: 'stop', summary: 'The time zone of a schedule is not one that the engine knows.' },
})
