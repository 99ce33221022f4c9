import { expect, test } from 'vitest'
import { aborted } from '../../../src/base/aborted.ts'

test('the end of a signal is known to whoever asks later, too', async () => {
  const early = new AbortController()
  const waits = aborted(early.signal)
  early.abort(new Error('shutdown'))

  await expect(waits).resolves.toBeUndefined()
  await expect(aborted(early.signal)).resolves.toBeUndefined()
})
