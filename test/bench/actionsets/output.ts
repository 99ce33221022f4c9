import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { runName } from '../../../src/api/run.ts'
import { startEngine } from './engine.ts'
import type { Figures } from './figures.ts'
import type { Place } from './place.ts'

/** A command that prints 200 MB and, after them, a marker with an output. */
export async function measureOutput(place: Place, bundle: string): Promise<Figures> {
  const engine = await startEngine(place, bundle)
  try {
    await place.run('warm')
    engine.forgetPeak()
    const idleMB = engine.residentMB()
    const logBefore = engine.logBytes
    const ms = await place.run('talks', 'output')
    const actionSet = await place.find('talks')
    const run = await place.kube
      .resource(ownKinds.runs)
      .get({ namespace: place.namespace, name: runName(actionSet.metadata.uid) })
    const outputs = actionSet.status?.actions?.[0]?.phases?.[0]?.output ?? {}
    return {
      outputMB: 200,
      outputSeconds: ms / 1000,
      outputGrowthMB: engine.peakMB() - idleMB,
      outputGrowthAimMB: 100,
      outputLogMB: (engine.logBytes - logBefore) / 1e6,
      outputStatusKB: JSON.stringify(actionSet.status).length / 1e3,
      outputRunKB: JSON.stringify(run).length / 1e3,
      outputMarkerFound: outputs['found'] === 'yes',
    }
  } finally {
    await engine.stop()
  }
}
