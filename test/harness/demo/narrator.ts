/** Tells the demo on stdout: numbered steps with their time, the commands that a user would type, what they answer. */
export class Narrator {
  readonly #started = performance.now()
  readonly #times: Array<readonly [string, number]> = []
  #number = 0

  title(text: string): void {
    console.log(`\n${bold(text)}\n`)
  }

  async step<T>(title: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now()
    this.#number++
    console.log(bold(`${this.#number}. ${title}`))
    const result = await work()
    const seconds = (performance.now() - start) / 1000
    this.#times.push([title, seconds])
    console.log(dim(`   ${seconds.toFixed(1)} s\n`))
    return result
  }

  command(text: string): void {
    console.log(`   ${cyan(`$ ${text}`)}`)
  }

  says(text: string): void {
    for (const line of text.trimEnd().split('\n')) console.log(`   ${line}`)
  }

  summary(): void {
    const total = (performance.now() - this.#started) / 1000
    console.log(bold('How long it took'))
    for (const [title, seconds] of this.#times) console.log(`   ${seconds.toFixed(1).padStart(6)} s  ${title}`)
    console.log(`   ${total.toFixed(1).padStart(6)} s  in all\n`)
  }
}

const paint = (code: string): ((text: string) => string) =>
  process.stdout.isTTY ? (text) => `\u001b[${code}m${text}\u001b[0m` : (text) => text
const bold = paint('1')
const dim = paint('2')
const cyan = paint('36')
