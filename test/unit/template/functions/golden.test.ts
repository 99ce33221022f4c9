import { expect, test } from 'vitest'
import { functionLibrary } from '../../../../src/template/functions/registry.ts'
import { TemplateRenderer } from '../../../../src/template/render.ts'
import { checkVector } from '../../../vectors/check-vector.ts'
import { readVectorFile } from '../../../vectors/vector-file.ts'

test('every function gives what sprig gives in Go', () => {
  const renderer = new TemplateRenderer({ library: functionLibrary })
  const file = readVectorFile('test/golden/sprig/vectors.json')

  const wrong = file.vectors.flatMap((vector) => {
    const reason = checkVector(renderer, file, vector)
    return reason === undefined ? [] : [`${vector.template}: ${reason}`]
  })

  expect(wrong).toEqual([])
  expect(file.vectors.length).toBeGreaterThan(1500)
})
