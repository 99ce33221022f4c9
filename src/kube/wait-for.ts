import type { Clock } from '../base/clock.ts'
import { nextOf } from '../base/errors.ts'
import type { KubeClient } from './client.ts'
import { kubeError } from './errors.ts'
import type { WaitForOptions } from './kube.ts'
import { describeObject, type KubeObject, type Live, type ObjectKey, type ResourceDef } from './objects.ts'
import { reflect } from './reflect.ts'

/** See `Kube.waitFor`. */
export async function waitFor<T extends KubeObject, R>(
  client: KubeClient,
  def: ResourceDef<T>,
  key: ObjectKey,
  done: (object: Live<T> | undefined) => R | undefined,
  options: WaitForOptions,
  clock: Clock,
): Promise<R> {
  const { signal: outer, timeoutMs, what } = options
  const own = new AbortController()
  const signal = outer ? AbortSignal.any([outer, own.signal]) : own.signal
  const result = Promise.withResolvers<R>()
  const look = (object: Live<T> | undefined): void => {
    try {
      const value = done(object)
      if (value !== undefined) result.resolve(value)
    } catch (error) {
      result.reject(error)
    }
  }
  const late = (): void =>
    result.reject(kubeError('KUBE_TIMEOUT', `waited ${timeoutMs / 1000} s for ${describeObject(def, key.name)} ${what}`))
  const timer = setTimeout(late, Math.min(timeoutMs, 2 ** 31 - 1))
  const sink = {
    replace: (objects: readonly Live<T>[]) => look(objects[0]),
    set: look,
    remove: () => look(undefined),
    onError(error: unknown) {
      if (nextOf(error) === 'stop') throw error // no right to watch, no such resource: waiting will not help
    },
  }
  const scope = { namespace: key.namespace, fieldSelector: `metadata.name=${key.name}` }
  reflect(client, def, scope, sink, { signal, clock }).catch((error: unknown) => result.reject(error))
  try {
    return await result.promise
  } finally {
    clearTimeout(timer)
    own.abort(new Error('the wait is over'))
  }
}
