import { storeError } from './errors.ts'

/** Undefined where the store says that there is no such object. */
export async function orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (storeError.is(error, 'STORE_NOT_FOUND')) return undefined
    throw error
  }
}
