import { functionLibrary } from '../../src/template/functions/registry.ts'
import { TemplateRenderer } from '../../src/template/render.ts'
import { checkVector } from './check-vector.ts'
import { readVectorFile } from './vector-file.ts'

const paths = process.argv.slice(2)
if (paths.length === 0) {
  console.error('usage: npm run vectors -- FILE…')
  process.exit(2)
}

const renderer = new TemplateRenderer({ library: functionLibrary })
let passed = 0
let failed = 0
for (const path of paths) {
  const file = readVectorFile(path)
  for (const vector of file.vectors) {
    const wrong = checkVector(renderer, file, vector)
    if (wrong === undefined) passed++
    else {
      failed++
      console.log(`${vector.id}: ${wrong}\n    ${JSON.stringify(vector.template ?? vector.mode)}`)
    }
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
