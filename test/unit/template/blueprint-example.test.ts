import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { functionLibrary } from '../../../src/template/functions/registry.ts'
import { HandlebarsRenderer } from '../../../src/template/handlebars/renderer.ts'
import { type Arg, TemplateRenderer } from '../../../src/template/render.ts'
import type { TemplateParams } from '../../../src/template/variables.ts'

/** The example of docs/blueprints.md: how an author tests the templates of a Blueprint without a cluster. */
const renderer = new TemplateRenderer({ library: functionLibrary, handlebars: new HandlebarsRenderer() })
const file = resolve(import.meta.dirname, '../../golden/blueprints/go-volumes.yaml')
const blueprint = parse(readFileSync(file, 'utf8')) as {
  actions: Record<string, { phases: { name: string; args: Record<string, Arg> }[] }>
}

function argsOf(action: string, phase: string, params: TemplateParams): Record<string, Arg> {
  const { args } = blueprint.actions[action]?.phases.find(({ name }) => name === phase) ?? { args: {} }
  return renderer.renderArgs(args, params, { dialect: 'GoTemplate' })
}

test('the backup reads the first pod of the Deployment', () => {
  const args = argsOf('backup', 'keepFiles', {
    Deployment: { Name: 'web', Namespace: 'shop', Pods: ['web-1', 'web-2'] },
    Profile: { Location: { bucket: 'backups' }, Credential: { Type: 'keyPair' }, SkipSSLVerify: false },
  })

  expect(args).toMatchObject({ pod: 'web-1', backupArtifactPrefix: 'backups/shop' })
})
