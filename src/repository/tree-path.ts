import { repositoryError } from './errors.ts'

/** The names of a path as bytes: no empty ones, no `.`; a `..` is refused, since no tree has it. */
export function splitPath(path: string | Buffer): Buffer[] {
  const text = typeof path === 'string' ? Buffer.from(path).toString('latin1') : path.toString('latin1')
  const names = text.split('/').filter((name) => name !== '' && name !== '.')
  if (names.includes('..') || text.includes('\0')) {
    throw repositoryError(
      'REPOSITORY_BAD_ARGUMENT',
      `the path ${JSON.stringify(Buffer.from(text, 'latin1').toString())} leaves its directory or holds a zero byte`,
    )
  }
  return names.map((name) => Buffer.from(name, 'latin1'))
}
