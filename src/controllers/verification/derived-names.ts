import { createHash } from 'node:crypto'
import type { Verification } from '../../api/verification.ts'
import { names } from '../../api/names.ts'
import { verificationKind } from '../../api/verification.ts'
import { apiVersionOf } from '../../api/kind.ts'
import type { Live } from '../../kube/objects.ts'

type Identity = Pick<Live<Verification>, 'metadata' | 'spec' | 'status'>

/** Derived, so that a repetition after a crash meets itself; another attempt has another one. */
export function namespaceName({ metadata, spec }: Identity, attempt: number): string {
  return `holdfast-verify-${hash(`${spec.record}\n${metadata.uid}\n${attempt}`)}`
}

export function actionSetName({ metadata }: Identity, step: string, attempt: number): string {
  return `${metadata.name.slice(0, 200)}-${step}-${attempt}`
}

/** Value of the label on all that a Verification makes: its name, where that fits into a label. */
export function labelOf({ metadata }: Pick<Identity, 'metadata'>): string {
  return metadata.name.length <= 63 ? metadata.name : `${metadata.name.slice(0, 50)}-${hash(metadata.name)}`
}

/** By which what is left is known as its own, whatever becomes of the Verification. */
export function ownershipOf({ metadata }: Pick<Identity, 'metadata'>): Record<string, string> {
  return {
    [names.verification]: metadata.name,
    [names.verificationUid]: metadata.uid,
    [names.verificationNamespace]: metadata.namespace,
  }
}

/** Of ActionSets: they go with their Verification. */
export function ownerReference({ metadata }: Pick<Identity, 'metadata'>): Record<string, unknown> {
  return { apiVersion: apiVersionOf(verificationKind), kind: verificationKind.kind, name: metadata.name, uid: metadata.uid }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
