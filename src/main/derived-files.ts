import { stringify } from 'yaml'
import { customResourceDefinition } from '../api/crd.ts'
import { kinds } from '../api/kinds.ts'
import { describeFunctions } from '../functions/describe.ts'
import { describeMetrics } from '../telemetry/metrics.ts'
import { describeVariables } from '../template/describe-variables.ts'
import { describeSettings } from './config.ts'
import { installManifest } from './install/manifest.ts'
import { testRestoreRole } from './install/rights.ts'

export interface DerivedFile {
  /** From the root of the repository. */
  readonly path: string
  readonly text: string
}

/** Every file that is made from declarations; `generate.ts` writes them and a test compares. */
export function derivedFiles(): DerivedFile[] {
  const crds = kinds.map((kind) => ({
    path: `crds/${kind.plural}.${kind.group}.yaml`,
    text: `${comment(`src/api/${kind.singular}.ts`)}${stringify(customResourceDefinition(kind), { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })}`,
  }))
  return [
    ...crds,
    { path: 'blueprints/FUNCTIONS.md', text: describeFunctions() },
    { path: 'src/template/VARIABLES.md', text: describeVariables() },
    { path: 'deploy/install.yaml', text: `${comment('src/main/install')}${installManifest()}` },
    {
      path: 'deploy/verification.yaml',
      text: `${comment('src/main/install/rights.ts')}# Rights for test restores (Verification). kubectl apply -f deploy/verification.yaml beside deploy/install.yaml.\n${stringify(testRestoreRole(), { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })}`,
    },
    {
      path: 'docs/metrics.md',
      text: `# Metrics\n\nOperator and workers serve these at \`/metrics\` (port 8000, \`HEALTH_CHECK_PORT\`); those of Schedules and retention come from the operator, out of their status.\nRules that use them: [deploy/alerts.yaml](../deploy/alerts.yaml). Made by \`npm run generate\` from \`src/telemetry/metrics.ts\`.\n\n${describeMetrics()}\n`,
    },
    {
      path: 'docs/settings.md',
      text: `# Settings\n\nThe processes read these environment variables at start. Made by \`npm run generate\` from \`src/main/config.ts\`.\n\n${describeSettings()}\n`,
    },
  ]
}

function comment(source: string): string {
  return `# Made by npm run generate from ${source}.\n`
}
