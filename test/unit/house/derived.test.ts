import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { derivedFiles } from '../../../src/main/derived-files.ts'
import { version } from '../../../src/main/version.ts'

const root = resolve(import.meta.dirname, '../../..')

test.each(derivedFiles())('$path is what its declarations say (npm run generate)', ({ path, text }) => {
  expect(readFileSync(join(root, path), 'utf8')).toBe(text)
})

test('the version is the one of package.json', () => {
  const { version: packaged } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

  expect(version).toBe(packaged)
})
