import { createHash } from 'node:crypto'

/**
 * The name of what a schedule makes for one object and slot: `<schedule>-<hash of the object>-<slot in UTC>`, at most 63 characters, so that
 * it is a label too. Derived, so the same slot asked for twice meets itself. Sorted by name, an object's backups are in order of time.
 */
export function slotName(schedule: string, objectKey: string, slot: number): string {
  const time = new Date(slot)
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, '')
    .toLowerCase()
  const hash = createHash('sha256').update(`${schedule}\0${objectKey}`).digest('hex').slice(0, 8)
  const room = 63 - hash.length - time.length - 2
  const start = schedule.replaceAll('.', '-').slice(0, room).replace(/-+$/, '')
  return `${start}-${hash}-${time}`
}
