import { bool, string } from '../go/go-type.ts'
import { defineTemplateFunction, type TemplateFunction } from './define.ts'

/** Paths with slashes, as Go's package `path` has them: text only, no file is looked at. */
export const pathFunctions: readonly TemplateFunction[] = [
  pathFunction('base', 'The last element of a path.', ['{{ base "a/b/c.txt" }}', 'c.txt'], basePath),
  pathFunction('dir', 'A path without its last element.', ['{{ dir "a/b/c.txt" }}', 'a/b'], dirPath),
  pathFunction('clean', 'The shortest equal path.', ['{{ clean "a/../b//c" }}', 'b/c'], cleanPath),
  pathFunction('ext', 'The extension of a file name, with its dot.', ['{{ ext "a.tar.gz" }}', '.gz'], extension),
  defineTemplateFunction({
    name: 'isAbs',
    summary: 'Whether a path begins with a slash.',
    example: ['{{ isAbs "/a" }}', 'true'],
    params: [string],
    result: bool,
    call: (_host, path) => path.startsWith('/'),
  }),
]

function pathFunction(
  name: string,
  summary: string,
  example: readonly [string, string],
  work: (path: string) => string,
): TemplateFunction {
  return defineTemplateFunction({ name, summary, example, params: [string], result: string, call: (_host, path) => work(path) })
}

function basePath(path: string): string {
  if (path === '') return '.'
  const trimmed = path.replace(/\/+$/, '')
  return trimmed.slice(trimmed.lastIndexOf('/') + 1) || '/'
}

function dirPath(path: string): string {
  return cleanPath(path.slice(0, path.lastIndexOf('/') + 1))
}

function cleanPath(path: string): string {
  const rooted = path.startsWith('/')
  const out: string[] = []
  for (const element of path.split('/')) {
    if (element === '' || element === '.') continue
    if (element !== '..') out.push(element)
    else if (out.length > 0 && out.at(-1) !== '..') out.pop()
    else if (!rooted) out.push('..')
  }
  return (rooted ? '/' : '') + out.join('/') || '.'
}

function extension(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const dot = name.lastIndexOf('.')
  return dot < 0 ? '' : name.slice(dot)
}
