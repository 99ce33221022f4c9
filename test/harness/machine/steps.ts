/** Says on stderr what the harness does and how long each step took: a person may wait minutes for a first build. */
export async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now()
  say(`${what} …`)
  try {
    const result = await work()
    say(`${what}: ${seconds(start)}`)
    return result
  } catch (error) {
    say(`${what}: failed after ${seconds(start)}`)
    throw error
  }
}

export function say(line: string): void {
  process.stderr.write(`holdfast: ${line}\n`)
}

function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`
}
