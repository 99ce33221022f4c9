import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { functionLibrary } from '../../../src/template/functions/registry.ts'
import type { FunctionLibrary } from '../../../src/template/functions/define.ts'
import { TemplateRenderer } from '../../../src/template/render.ts'
import { checkVector } from '../../vectors/check-vector.ts'
import { readVectorFile } from '../../vectors/vector-file.ts'

const folder = new URL('../../golden/templates/', import.meta.url).pathname
// The random templates use Go's own functions only, `slice` among them, which sprig's hides.
const libraries: Readonly<Record<string, FunctionLibrary>> = { 'go-template-vectors.json': new Map() }

test.each(readdirSync(folder).filter((name) => name.endsWith('-vectors.json')))(
  'everything in %s renders as Go does',
  (name) => {
    const file = readVectorFile(folder + name)
    const renderer = new TemplateRenderer({ library: libraries[name] ?? functionLibrary })

    const wrong = file.vectors.flatMap((vector) => {
      const reason = checkVector(renderer, file, vector)
      return reason === undefined ? [] : [`${vector.id}: ${vector.template}: ${reason}`]
    })

    expect(file.vectors.length).toBeGreaterThan(1000)
    expect(wrong).toEqual([])
  },
)
