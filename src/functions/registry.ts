import type { HoldfastError } from '../base/errors.ts'
import type { TObject } from '../schema/build.ts'
import { backupDataAll } from './backup-data-all.ts'
import { backupDataStats } from './backup-data-stats.ts'
import { backupData } from './backup-data.ts'
import { backupStream } from './backup-stream.ts'
import type { PhaseFunction } from './define.ts'
import { checkRepository } from './check-repository.ts'
import { copyVolumeData } from './copy-volume-data.ts'
import { deleteDataAll } from './delete-data-all.ts'
import { deleteData } from './delete-data.ts'
import { deleteStream } from './delete-stream.ts'
import { functionError } from './errors.ts'
import { functionVersion } from './function-version.ts'
import { kubeExecAll } from './kube-exec-all.ts'
import { kubeExec } from './kube-exec.ts'
import { kubeOps } from './kube-ops.ts'
import { kubeTask } from './kube-task.ts'
import { locationDelete } from './location-delete.ts'
import { multiContainerRun } from './multi-container-run.ts'
import { prepareData } from './prepare-data.ts'
import { pruneRepository } from './prune-repository.ts'
import { removedFunctions } from './removed.ts'
import { restoreDataAll } from './restore-data-all.ts'
import { restoreData } from './restore-data.ts'
import { restoreStream } from './restore-stream.ts'
import { scaleWorkload } from './scale-workload.ts'
import { wait } from './wait.ts'
import { waitV2 } from './wait-v2.ts'

/** A function whose arguments were decoded by its own schema before `run` sees them. */
export type AnyFunction = PhaseFunction<TObject>

/** Every phase function, in the order of the pages. One more: its file, and a line here. */
export const phaseFunctions: readonly AnyFunction[] = [
  kubeExec,
  kubeExecAll,
  kubeTask,
  multiContainerRun,
  prepareData,
  scaleWorkload,
  kubeOps,
  wait,
  waitV2,
  backupStream,
  restoreStream,
  deleteStream,
  backupData,
  backupDataAll,
  backupDataStats,
  restoreData,
  restoreDataAll,
  copyVolumeData,
  deleteData,
  deleteDataAll,
  pruneRepository,
  checkRepository,
  locationDelete,
]

/**
 * The function of that name for a `preferredVersion`, or undefined when there is none of that name. Names are case-sensitive.
 * Any version that can be read falls back to the only one there is, however it is spelled; one that cannot be read is
 * FUNCTION_BAD_VERSION.
 */
export function findFunction(name: string, version = ''): AnyFunction | undefined {
  checkVersion(version)
  return phaseFunctions.find((candidate) => candidate.name === name)
}

/** The same; throws FUNCTION_UNKNOWN, or FUNCTION_REMOVED saying what to use instead. */
export function getFunction(name: string, version = ''): AnyFunction {
  const found = findFunction(name, version)
  if (!found) throw missingFunction(name)
  return found
}

/** Why there is no function of that name, and what to do. */
export function missingFunction(name: string): HoldfastError {
  const instead = Object.hasOwn(removedFunctions, name) ? removedFunctions[name] : undefined
  if (instead !== undefined) {
    return functionError('FUNCTION_REMOVED', `Requested function {${name}} has not been registered: ${instead}`)
  }
  const near = phaseFunctions.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase())
  const hint = near ? `did you mean ${near.name}? Case matters` : `there are ${phaseFunctions.map((fn) => fn.name).join(', ')}`
  return functionError('FUNCTION_UNKNOWN', `Requested function {${name}} has not been registered; ${hint}`)
}

/** Semantic versions as leniently as Kanister reads them: `v1` and `1.2` are versions, `latest` is none. */
const versionPattern = /^v?\d+(\.\d+){0,2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/

function checkVersion(version: string): void {
  if (version === '' || versionPattern.test(version)) return
  throw functionError(
    'FUNCTION_BAD_VERSION',
    `Failed to get function version: Failed to parse function version {${version}}: Invalid Semantic Version; ` +
      `leave preferredVersion out or set it to ${functionVersion}`,
  )
}
