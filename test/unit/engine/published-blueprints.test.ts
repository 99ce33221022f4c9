import { expect, test } from 'vitest'
import type { ActionSpec } from '../../../src/api/actionset.ts'
import type { BlueprintAction } from '../../../src/api/blueprint.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { dryRun } from '../../../src/engine/dry-run.ts'
import { getFunction } from '../../../src/functions/registry.ts'
import { lintBlueprintText } from '../../../src/lint/lint.ts'
import { createRenderer } from '../../../src/main/renderer.ts'
import { plausibleCluster } from '../../build/plausible-cluster.ts'
import { blueprintIn, publishedBlueprints, publishedFolderExists } from '../../build/published-blueprints.ts'

/** What of them is refused, and why: each reason is a fact. All other phases and artifacts must pass. */
const refused: readonly { readonly what: RegExp; readonly reason: RegExp }[] = [
  {
    what: /\b(Create|Restore|Delete)CSISnapshot$/,
    reason: /^Requested function \{\w+CSISnapshot\} has not been registered: CSI snapshots are not here yet; /,
  },
  // Kanister itself removed RepositoryServer, with the variable that this Blueprint reads.
  {
    what: /^kanisterio__kanister\/examples\/mysql-kopia-repository-server\/.* KubeTask$/,
    reason: /can't evaluate field RepositoryServer/,
  },
]

const published = publishedBlueprints()
const absent = 'the published Blueprints are not on this machine; HOLDFAST_CORPUS names their folder'

test('published Blueprints have no error of lint', (context) => {
  if (!publishedFolderExists) return context.skip(absent)

  const errors = published.flatMap(({ path, text }) =>
    lintBlueprintText(text)
      .filter(({ severity }) => severity === 'error')
      .map(({ line, message }) => `${path}:${line} ${message}`),
  )

  expect(published.length).toBeGreaterThan(0)
  expect(errors).toEqual([])
})

test('published Blueprints pass a dry run, or are refused for a reason that is true', async (context) => {
  if (!publishedFolderExists) return context.skip(absent)

  const outcomes = (await Promise.all(published.map(rehearse))).flat()

  const verdicts = outcomes.map(({ what, problem }) => ({
    what,
    expected: refused.find((each) => each.what.test(what))?.reason,
    problem,
  }))
  const wrong = verdicts.filter(({ expected, problem }) => (expected ? !expected.test(problem ?? '') : problem !== undefined))
  const refusals = verdicts.filter(({ problem }) => problem !== undefined)
  console.log(`${published.length} Blueprints, ${outcomes.length} phases and artifacts, ${refusals.length} refused`)
  expect(wrong).toEqual([])
  expect(outcomes.length).toBeGreaterThan(published.length)
})

interface Outcome {
  /** `file action phase function` */
  readonly what: string
  readonly problem?: string | undefined
}

async function rehearse({ path, text }: { readonly path: string; readonly text: string }): Promise<Outcome[]> {
  const blueprint = blueprintIn(text)
  const outcomes: Outcome[] = []
  for (const [name, action] of Object.entries(blueprint.actions ?? {})) {
    const run = await dryRun({
      reader: plausibleCluster(['id', 'secret', ...keysIn(text)]),
      renderer: createRenderer(systemClock),
      findFunction: getFunction,
      blueprint,
      action: plausibleAction(name, action),
      moment: { time: '2026-11-21T09:47:27.123456789Z', seed: 'ab' },
      signal: new AbortController().signal,
    })
    for (const phase of [...run.phases, ...(run.deferPhase ? [run.deferPhase] : [])])
      outcomes.push({ what: `${path} ${name} ${phase.name} ${phase.func}`, problem: phase.problem })
    if (run.artifacts || run.artifactsProblem)
      outcomes.push({ what: `${path} ${name} artifacts`, problem: run.artifactsProblem })
  }
  return outcomes
}

/** The ActionSet that a user of this action would write. */
function plausibleAction(name: string, action: BlueprintAction): ActionSpec {
  const text = JSON.stringify(action)
  const place = { name: 'db', namespace: 'app' }
  const kind = ['StatefulSet', 'DeploymentConfig', 'Deployment', 'PVC', 'Namespace'].find((each) =>
    new RegExp(`\\.${each}\\b`).test(text),
  )
  const reference = (names: Iterable<string>): Record<string, typeof place> =>
    Object.fromEntries([...names].map((each) => [each, place]))
  return {
    name,
    object: kind ? { kind, ...place } : { apiVersion: 'v1', group: 'example.org', resource: 'databases', ...place },
    profile: { name: 'profile', namespace: 'app' },
    secrets: reference(namesAfter(text, 'Secrets')),
    configMaps: reference(namesAfter(text, 'ConfigMaps')),
    options: Object.fromEntries([...namesAfter(text, 'Options')].map((each) => [each, `option-${each}`])),
    artifacts: Object.fromEntries([...namesAfter(text, 'ArtifactsIn')].map((each) => [each, artifactOf(text, each)])),
  } as ActionSpec
}

/** `.Options.x` and `index .Options "x"`, but not `.Phases.y.Secrets.x`. */
function namesAfter(text: string, root: string): ReadonlySet<string> {
  const found = [...text.matchAll(new RegExp(`(?<![\\w])\\.${root}(?:\\.(\\w+)| \\\\"([^"\\\\]+)\\\\")`, 'g'))]
  return new Set(found.flatMap(([, field, key]) => field ?? key ?? []))
}

function artifactOf(text: string, name: string): unknown {
  const keys = [...text.matchAll(new RegExp(`ArtifactsIn\\.${name}\\.KeyValue\\.(\\w+)`, 'g'))].map(([, key]) => key)
  const keyValue = Object.fromEntries(keys.map((key) => [key, `the-${key}`]))
  return { keyValue, kopiaSnapshot: '{"id":"k1","logicalSize":1,"physicalSize":1}' }
}

/** Every key of a Secret or ConfigMap that the templates ask for. */
function keysIn(text: string): readonly string[] {
  return [...text.matchAll(/Data(?:\.(\w+)| "([^"]+)")/g)].flatMap(([, field, key]) => field ?? key ?? [])
}
