import { kubeError } from '../kube/errors.ts'
import { kinds, type Secret } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { Live } from '../kube/objects.ts'
import { type KeyWrap, plainKeys } from './key-wrap.ts'
import { createRecoveryKey, createWorkingPassword } from '../repository/keys/recovery-key.ts'

/** The Secret of the installation's recovery key, in the engine's namespace. Its data has one field, `recoveryKey`. */
export const recoveryKeySecret = 'holdfast-recovery-key'
/** Where the repository of a working password is, as JSON, so that a rotation of the recovery key finds it. */
export const locationAnnotation = 'holdfast.dev/location'

/** Where a repository is: what of its Profile counts. */
export interface RepositoryLocation {
  readonly type: string
  readonly endpoint: string
  readonly bucket: string
  /** Key prefix below the bucket. */
  readonly key: string
}

/** The keys that this installation keeps, as Secrets of the engine's namespace. */
export class RepositoryKeys {
  readonly #kube: Pick<Kube, 'resource'>
  readonly #namespace: string

  readonly #wrap: KeyWrap

  constructor(kube: Pick<Kube, 'resource'>, namespace: string, wrap: KeyWrap = plainKeys) {
    this.#kube = kube
    this.#namespace = namespace
    this.#wrap = wrap
  }

  /** The recovery key, made at the first call ever. Somebody who restores into a new cluster puts the old one there before. */
  async recoveryKey(signal: AbortSignal): Promise<string> {
    const found = await this.#find(recoveryKeySecret, 'recoveryKey', signal)
    return found ?? (await this.#create(recoveryKeySecret, 'recoveryKey', createRecoveryKey(), {}, signal))
  }

  async findPassword(name: string, signal: AbortSignal): Promise<string | undefined> {
    return this.#find(name, 'password', signal)
  }

  /** A working password, kept before the repository is made, so that no repository is ever without its key. */
  async createPassword(
    name: string,
    place: { readonly description: string; readonly location: RepositoryLocation },
    signal: AbortSignal,
  ): Promise<string> {
    const annotations = {
      'holdfast.dev/repository': place.description,
      [locationAnnotation]: JSON.stringify(place.location),
    }
    return this.#create(name, 'password', createWorkingPassword(), annotations, signal)
  }

  async #find(name: string, field: string, signal: AbortSignal): Promise<string | undefined> {
    const secret = await this.#kube.resource(kinds.secrets).find({ namespace: this.#namespace, name }, { signal })
    const kept = secret && textOf(secret, field)
    return kept === undefined ? undefined : await this.#wrap.unwrap(kept, signal)
  }

  /** Of two who create at once, both get what the first one wrote. */
  async #create(
    name: string,
    field: string,
    value: string,
    annotations: Record<string, string>,
    signal: AbortSignal,
  ): Promise<string> {
    const secret: Secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: this.#namespace, labels: { 'app.kubernetes.io/part-of': 'holdfast' }, annotations },
      type: 'Opaque',
      stringData: { [field]: await this.#wrap.wrap(value, signal) },
    }
    try {
      await this.#kube.resource(kinds.secrets).create(secret, { signal })
      return value
    } catch (error) {
      if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
      return (await this.#find(name, field, signal)) ?? value
    }
  }
}

function textOf(secret: Live<Secret>, field: string): string | undefined {
  const value = secret.data?.[field]
  return value === undefined || value === '' ? undefined : Buffer.from(value, 'base64').toString('utf8').trim()
}
