import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { messageOf } from '../base/errors.ts'
import { cliError } from './errors.ts'

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'this is a folder; name the files in it',
  EACCES: 'no right to read this file',
}

/** The text of a file that a user named; `-` is stdin. Throws CLI_NOT_FOUND, naming it. */
export async function readInput(file: string, stdin: NodeJS.ReadableStream): Promise<string> {
  if (file === '-') return await text(stdin)
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    throw cliError('CLI_NOT_FOUND', `${file}: ${reasons[code] ?? messageOf(error)}`)
  }
}
