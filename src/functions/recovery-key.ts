import { kubeError } from '../kube/errors.ts'
import { kinds, type Secret } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { Live } from '../kube/objects.ts'
import { createRecoveryKey, recoveryKeyFingerprint } from '../repository/keys/recovery-key.ts'
import { functionError } from './errors.ts'
import { recoveryKeySecret } from './repository-keys.ts'

/** Says which key was taken out of the cluster and when: `<fingerprint> <RFC 3339>`. */
export const exportedAnnotation = 'holdfast.dev/recovery-key-exported'

export interface RecoveryKeyState {
  readonly key: string
  readonly fingerprint: string
  /** Of this key, not of one before. */
  readonly exported: boolean
  /** A rotation was begun and not finished: the key that will follow. */
  readonly next: string | undefined
  readonly previous: readonly string[]
}

interface Place {
  readonly kube: Pick<Kube, 'resource'>
  readonly namespace: string
  readonly signal: AbortSignal
}

/** The recovery key as its Secret holds it; undefined before the first repository was made. */
export async function findRecoveryKey({ kube, namespace, signal }: Place): Promise<RecoveryKeyState | undefined> {
  const secret = await kube.resource(kinds.secrets).find({ namespace, name: recoveryKeySecret }, { signal })
  const key = secret && fieldOf(secret, 'recoveryKey')
  if (!key) return undefined
  const fingerprint = recoveryKeyFingerprint(key)
  return {
    key,
    fingerprint,
    exported: secret.metadata.annotations?.[exportedAnnotation]?.startsWith(`${fingerprint} `) === true,
    next: fieldOf(secret, 'nextRecoveryKey'),
    previous: (fieldOf(secret, 'previousRecoveryKeys') ?? '').split('\n').filter((line) => line !== ''),
  }
}

/** What stands in runs and status until somebody exported the key. */
export function exportWarning(fingerprint: string): string {
  return (
    `the recovery key ${fingerprint} was never exported: without it, losing this cluster means losing its backups. ` +
    'Run "holdfast key export" once and keep what it prints outside of the cluster'
  )
}

/** Notes that the key is in somebody's hands now. To be called after it was written where it is to be kept. */
export async function markExported(place: Place, fingerprint: string, nowText: string): Promise<void> {
  await change(place, (secret) => ({
    ...secret,
    metadata: {
      ...secret.metadata,
      annotations: { ...secret.metadata.annotations, [exportedAnnotation]: `${fingerprint} ${nowText}` },
    },
  }))
}

/** Puts a key that was exported elsewhere into this cluster, before or after the first backup. One that is there and another goes to the previous ones. */
export async function importRecoveryKey(place: Place, key: string, { replace }: { readonly replace: boolean }): Promise<void> {
  const found = await findRecoveryKey(place)
  const fingerprint = recoveryKeyFingerprint(key)
  if (found?.key === key) return
  if (!found) {
    await create(place, key)
    return
  }
  if (!replace)
    throw functionError(
      'FUNCTION_BAD_ARGS',
      `this installation has the recovery key ${found.fingerprint} already, and ${fingerprint} is another: repositories made here would not open by it. ` +
        'Use "holdfast key rotate" for a new key, or --replace when nothing was backed up here yet',
    )
  await change(place, (secret) =>
    withFields(secret, { recoveryKey: key, previousRecoveryKeys: [...found.previous, found.key].join('\n') }),
  )
}

/** The key that will follow: made and kept before any repository gets it, so that a rotation that broke off goes on with the same. */
export async function nextRecoveryKey(place: Place): Promise<{ readonly current: RecoveryKeyState; readonly next: string }> {
  const current = await findRecoveryKey(place)
  if (!current)
    throw functionError('FUNCTION_BAD_ARGS', 'there is no recovery key to rotate: it is made with the first repository')
  if (current.next) return { current, next: current.next }
  const next = createRecoveryKey()
  await change(place, (secret) => withFields(secret, { nextRecoveryKey: next }))
  return { current, next }
}

/** The next key takes the place of the current one, which stays among the previous: catalogs written with it open by nothing else. */
export async function finishRotation(place: Place): Promise<void> {
  await change(place, (secret) => {
    const [key, next] = [fieldOf(secret, 'recoveryKey') ?? '', fieldOf(secret, 'nextRecoveryKey')]
    if (!next) return secret
    const previous = [...(fieldOf(secret, 'previousRecoveryKeys') ?? '').split('\n').filter((line) => line !== ''), key]
    return withFields(secret, { recoveryKey: next, nextRecoveryKey: '', previousRecoveryKeys: previous.join('\n') })
  })
}

async function create({ kube, namespace, signal }: Place, key: string): Promise<void> {
  const labels = { 'app.kubernetes.io/part-of': 'holdfast' }
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: recoveryKeySecret, namespace, labels },
    type: 'Opaque',
    stringData: { recoveryKey: key },
  }
  try {
    await kube.resource(kinds.secrets).create(secret, { signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
    throw functionError('FUNCTION_BAD_ARGS', 'a recovery key was made at this moment by the engine; import again', {
      cause: error,
    })
  }
}

async function change({ kube, namespace, signal }: Place, alter: (secret: Live<Secret>) => Secret): Promise<void> {
  await kube.resource(kinds.secrets).update({ namespace, name: recoveryKeySecret }, alter, { signal })
}

function withFields(secret: Live<Secret>, fields: Readonly<Record<string, string>>): Secret {
  const encoded = Object.entries(fields).map(([name, text]) => [name, Buffer.from(text).toString('base64')])
  return { ...secret, data: { ...secret.data, ...(Object.fromEntries(encoded) as Record<string, string>) } }
}

function fieldOf(secret: Pick<Secret, 'data'>, field: string): string | undefined {
  const value = secret.data?.[field]
  return value === undefined || value === '' ? undefined : Buffer.from(value, 'base64').toString('utf8').trim()
}
