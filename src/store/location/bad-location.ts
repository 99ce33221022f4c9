import { storeError } from '../errors.ts'

export function badLocation(text: string): unknown {
  return storeError('STORE_BAD_LOCATION', `the Profile cannot be used: ${text}`)
}
