/**
 * What an ActionSet costs, beside the bare exec of the same command by our own client in the same run.
 *
 *   HOLDFAST_CLUSTER=bench node test/bench/actionsets.ts [--only single,50,1000,finished,output,idle] [--finished 10000]
 *
 * The engine is the bundle of the image. The last line is JSON with every figure. A cluster of a name of its own is best, since
 * other work on it shows in the figures; the default one is `bench`, and it is stopped at the end when this run started it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundleEngine } from '../../deploy/build.ts'
import { downCluster, findCluster } from '../harness/cluster/cluster.ts'
import { harnessFolders } from '../harness/machine/folders.ts'
import { openWorld } from '../harness/world/world.ts'
import { rounded, type Figures } from './actionsets/figures.ts'
import { measureFinished } from './actionsets/finished.ts'
import { measureIdle } from './actionsets/idle.ts'
import { measureOutput } from './actionsets/output.ts'
import { openPlace, type Place } from './actionsets/place.ts'
import { measureAtOnce, measureSingle } from './actionsets/rate.ts'

const { values } = parseArgs({ options: { only: { type: 'string' }, finished: { type: 'string', default: '10000' } } })

const parts: Readonly<Record<string, (place: Place, bundle: string) => Promise<Figures>>> = {
  idle: measureIdle,
  single: measureSingle,
  50: (place, bundle) => measureAtOnce(place, bundle, 50),
  1000: (place, bundle) => measureAtOnce(place, bundle, 1000),
  output: measureOutput,
  finished: (place, bundle) => measureFinished(place, bundle, Number(values.finished)),
}
const wanted = values.only?.split(',') ?? Object.keys(parts)
const unknown = wanted.filter((name) => !(name in parts))
if (unknown.length > 0) throw new Error(`no part ${unknown.join(', ')}: there are ${Object.keys(parts).join(', ')}`)

const env: NodeJS.ProcessEnv = { HOLDFAST_CLUSTER: 'bench', ...process.env }
const folders = harnessFolders(env)
const wasUp = findCluster(folders) !== undefined
const bundle = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
const found: Record<string, Figures[string]> = { loadAverageBefore: loadavg()[0] ?? 0 }
try {
  await bundleEngine(bundle)
  const world = await openWorld(env)
  for (const [name, part] of Object.entries(parts)) {
    if (!wanted.includes(name)) continue
    const place = await openPlace(world)
    try {
      const figures = rounded(await part(place, bundle))
      console.log(name, figures)
      Object.assign(found, figures)
    } finally {
      await place.close()
    }
  }
} finally {
  rmSync(bundle, { recursive: true, force: true })
  if (!wasUp && env['HOLDFAST_USE_CLUSTER'] !== '1') await downCluster(folders)
}
found['loadAverageAfter'] = loadavg()[0] ?? 0
console.log(JSON.stringify(rounded(found)))
