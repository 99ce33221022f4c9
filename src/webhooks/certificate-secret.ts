import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { retry } from '../base/backoff.ts'
import { kubeError } from '../kube/errors.ts'
import type { Secret } from '../kube/kinds.ts'
import type { Live, ObjectKey } from '../kube/objects.ts'
import type { ResourceApi } from '../kube/resource-api.ts'
import { certificatesOf, makeServingCertificate, readCertificate } from './certificate.ts'

export interface KeptCertificate {
  readonly cert: string
  readonly key: string
  /** Authorities that callers must trust: of this certificate, and of those before it that are still valid. */
  readonly bundle: string
}

export interface CertificateKeeper {
  readonly secrets: Pick<ResourceApi<Secret>, 'find' | 'create' | 'replace'>
  readonly clock: Clock
  readonly key: ObjectKey
  readonly hosts: readonly [string, ...string[]]
  /** Of a new certificate, in ms. When a third of it is left, the next one is made. */
  readonly lifetimeMs: number
}

/** Clocks differ: a certificate is valid from a while ago. */
const clockSkewMs = 3_600_000

/**
 * The certificate that the Secret keeps; made when there is none that can be used for a while yet. Any number of processes may ask at
 * the same time: the API server takes one answer, and all get that one.
 */
export async function keepCertificate(keeper: CertificateKeeper, signal: AbortSignal): Promise<KeptCertificate> {
  const lostRace = (error: unknown): boolean => kubeError.is(error, 'KUBE_ALREADY_EXISTS', 'KUBE_CONFLICT', 'KUBE_NOT_FOUND')
  return await retry(() => readOrMake(keeper, signal), { signal, clock: keeper.clock, attempts: 5, when: lostRace })
}

async function readOrMake(keeper: CertificateKeeper, signal: AbortSignal): Promise<KeptCertificate> {
  const { secrets, key } = keeper
  const secret = await secrets.find(key, { signal })
  const kept = secret && readSecret(secret)
  if (kept && isUsable(kept, keeper)) return kept
  const next = makeNext(keeper, kept)
  const content = { type: 'kubernetes.io/tls', data: dataOf(next) }
  if (secret) await secrets.replace({ ...secret, ...content }, { signal })
  else await secrets.create({ apiVersion: 'v1', kind: 'Secret', metadata: { ...key }, ...content } as Secret, { signal })
  return next
}

function isUsable({ cert, key, bundle }: KeptCertificate, { hosts, clock, lifetimeMs }: CertificateKeeper): boolean {
  const certificate = readCertificate(cert)
  if (!certificate || certificate.validToDate.getTime() - clock.now() < lifetimeMs / 3) return false
  if (!isKeyOf(certificate, key)) return false
  const names = new Set((certificate.subjectAltName ?? '').split(', '))
  if (!hosts.every((host) => names.has(`DNS:${host}`) || names.has(`IP Address:${host}`))) return false
  return certificatesOf(bundle).some((authority) => certificate.checkIssued(new X509Certificate(authority)))
}

function isKeyOf(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key))
  } catch {
    return false // No key at all; it is made anew with the certificate.
  }
}

/** Those who have not heard of the new authority yet still meet the certificate of the old one, so both stay. */
function makeNext({ hosts, clock, lifetimeMs }: CertificateKeeper, before: KeptCertificate | undefined): KeptCertificate {
  const now = clock.now()
  const made = makeServingCertificate({ hosts, fromMs: now - clockSkewMs, untilMs: now + lifetimeMs })
  const old = certificatesOf(before?.bundle ?? '').filter((pem) => new X509Certificate(pem).validToDate.getTime() > now)
  return { cert: made.cert, key: made.key, bundle: [made.ca, ...old.slice(0, 2)].join('') }
}

function readSecret({ data }: Live<Secret>): KeptCertificate | undefined {
  const text = (field: string): string => Buffer.from(data?.[field] ?? '', 'base64').toString()
  const kept = { cert: text('tls.crt'), key: text('tls.key'), bundle: text('ca.crt') }
  return kept.key === '' ? undefined : kept
}

function dataOf({ cert, key, bundle }: KeptCertificate): Record<string, string> {
  const encoded = (text: string): string => Buffer.from(text).toString('base64')
  return { 'tls.crt': encoded(cert), 'tls.key': encoded(key), 'ca.crt': encoded(bundle) }
}
