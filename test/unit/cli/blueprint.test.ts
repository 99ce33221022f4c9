import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import type { ActionSpec } from '../../../src/api/actionset.ts'
import type { BlueprintDeps } from '../../../src/cli/commands/blueprint/deps.ts'
import { lintFiles } from '../../../src/cli/commands/blueprint/lint.ts'
import { type RenderFlags, renderBlueprint } from '../../../src/cli/commands/blueprint/render.ts'
import { validateBlueprint } from '../../../src/cli/commands/blueprint/validate.ts'
import { FakeApi } from '../../build/fake-api.ts'

const sample = readFileSync(resolve(import.meta.dirname, '../../golden/blueprints/go-volumes.yaml'), 'utf8')
const broken = sample.replace('includePath: /data', 'includPath: /data')

function terminal(file: string): BlueprintDeps & { out: string; err: string } {
  const said = {
    out: '',
    err: '',
    output: {
      out: (text: string): void => void (said.out += text),
      err: (text: string): void => void (said.err += text),
      live: false,
    },
    readText: async (): Promise<string> => file,
    finish: (): void => undefined,
  }
  return said
}

test('lint shows the line with a mark under the place, and fails on errors', async () => {
  const deps = terminal(broken)

  expect(await lintFiles(['a.yaml'], 'text', deps)).toBe(1)
  expect(deps.out).toContain(
    [
      'a.yaml:39:11: error: BackupData has no argument "includPath"; did you mean includePath? [LINT_ARGUMENT]',
      '  in actions.backup.phases[2].args.includPath',
      '   39 |           includPath: /data',
      '      |           ^',
    ].join('\n'),
  )
  expect(deps.err).toMatch(/1 file: \d errors/)
})

test('lint is content with warnings, and prints JSON for programs', async () => {
  const deps = terminal(sample)

  expect(await lintFiles(['a.yaml'], 'json', deps)).toBe(0)
  const { errors, findings } = JSON.parse(deps.out) as { errors: number; findings: readonly object[] }
  expect(errors).toBe(0)
  for (const finding of findings)
    expect(finding).toMatchObject({ file: 'a.yaml', severity: 'warning', line: expect.any(Number) as number })
})

test("validate speaks kanctl's words", async () => {
  const [good, bad] = [terminal(sample), terminal(broken)]

  expect(await validateBlueprint('a.yaml', good)).toBe(0)
  expect(await validateBlueprint('a.yaml', bad)).toBe(1)

  expect(good.err).toContain('Reading blueprint from path: a.yaml')
  expect(good.out).toContain("Passed the 'validation of phase keepFiles in action backup' check.. ✅\n")
  expect(good.out).toContain('All checks passed.. ✅\n\n')
  expect(bad.out).toContain("Failed the 'validation of phase keepFiles in action backup' check.. ❌\n")
  expect(bad.out).not.toContain('All checks passed')
})

const noFlags: RenderFlags = { options: [], secrets: [], configMaps: [], output: 'json' }

test('render asks for the object as create actionset would, and fails when a phase cannot be rendered', async () => {
  const deps = terminal(sample)
  const asked: ActionSpec[] = []
  const render = async (flags: Partial<RenderFlags>, result: object): Promise<number> =>
    renderBlueprint(
      'a.yaml',
      { ...noFlags, ...flags },
      {
        ...deps,
        kube: new FakeApi().kube(),
        namespace: 'holdfast',
        signal: new AbortController().signal,
        dryRun: async (_blueprint, action) => {
          asked.push(action)
          return result
        },
      },
    )

  expect(await render({ action: 'backup', object: 'Deployment/shop/web', profile: 'p' }, { phases: [] })).toBe(0)
  expect(await render({ action: 'backup', object: 'apps/v1/daemonsets/shop/web' }, { phases: [{ problem: 'no' }] })).toBe(1)
  await expect(render({ action: 'backup', object: 'web' }, {})).rejects.toThrow('is no object')

  expect(asked).toMatchObject([
    {
      name: 'backup',
      object: { kind: 'deployment', namespace: 'shop', name: 'web' },
      profile: { name: 'p', namespace: 'holdfast' },
    },
    { object: { group: 'apps', apiVersion: 'v1', resource: 'daemonsets' } },
  ])
})
