import { stringify } from 'yaml'
import { customResourceDefinition } from '../api/crd.ts'
import { kinds } from '../api/kinds.ts'

export interface DerivedFile {
  /** From the root of the repository. */
  readonly path: string
  readonly text: string
}

/** Every file that is made from declarations; `generate.ts` writes them and a test compares. */
export function derivedFiles(): DerivedFile[] {
  return kinds.map((kind) => ({
    path: `crds/${kind.plural}.${kind.group}.yaml`,
    text: yaml(`Made by npm run generate from src/api/${kind.singular}.ts.`, customResourceDefinition(kind)),
  }))
}

function yaml(comment: string, value: unknown): string {
  return `# ${comment}\n${stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })}`
}
