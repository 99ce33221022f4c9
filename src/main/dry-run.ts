import { randomBytes } from 'node:crypto'
import type { ActionSpec } from '../api/actionset.ts'
import type { Blueprint } from '../api/blueprint.ts'
import { systemClock, toRfc3339 } from '../base/clock.ts'
import { type DryRun, dryRun } from '../engine/dry-run.ts'
import { getFunction } from '../functions/registry.ts'
import type { Kube } from '../kube/kube.ts'
import { createRenderer } from './renderer.ts'

/** The engine's rehearsal of an action over the cluster as it is now. */
export function openDryRun(kube: Kube, signal: AbortSignal): (blueprint: Blueprint, action: ActionSpec) => Promise<DryRun> {
  const renderer = createRenderer(systemClock)
  const moment = { time: toRfc3339(systemClock.now()), seed: randomBytes(16).toString('hex') }
  return (blueprint, action) => dryRun({ reader: kube, renderer, findFunction: getFunction, blueprint, action, moment, signal })
}
