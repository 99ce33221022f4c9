/** One after the other, for stores where a delete costs no round trip. Gives the number. */
export async function deleteInTurn(
  keys: AsyncIterable<string> | Iterable<string>,
  deleteOne: (key: string) => Promise<void>,
): Promise<number> {
  let count = 0
  for await (const key of keys) {
    await deleteOne(key)
    count++
  }
  return count
}
