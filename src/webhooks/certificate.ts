import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { encodePem } from '../template/functions/pem.ts'
import { signCertificate } from '../template/functions/x509.ts'

/** What a TLS server shows, and what its callers must trust. PEM. */
export interface ServingCertificate {
  readonly cert: string
  readonly key: string
  /** The authority that signed it. */
  readonly ca: string
}

export interface CertificateOptions {
  /** DNS names or IP addresses under which the server is called; the first one names the certificate. */
  readonly hosts: readonly [string, ...string[]]
  readonly fromMs: number
  readonly untilMs: number
}

/**
 * A new authority and a certificate signed by it (ECDSA, P-256). The key of the authority is forgotten at once: nobody can ever sign
 * a second one, and the next certificate comes with its own authority.
 */
export function makeServingCertificate({ hosts, fromMs, untilMs }: CertificateOptions): ServingCertificate {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const validity = { notBefore: nanos(fromMs), notAfter: nanos(untilMs) }
  const ca = signCertificate({
    ...validity,
    // A name of its own: two authorities that callers trust at the same time must not be mistaken for each other.
    commonName: `holdfast-webhook-ca ${randomBytes(4).toString('hex')}`,
    ips: [],
    dnsNames: [],
    serial: serialNumber(),
    isCa: true,
    publicKey: authority.publicKey,
    signer: { key: authority.privateKey },
  })
  const cert = signCertificate({
    ...validity,
    commonName: hosts[0].slice(0, 64),
    ips: hosts.filter((host) => isIP(host) !== 0),
    dnsNames: hosts.filter((host) => isIP(host) === 0),
    serial: serialNumber(),
    isCa: false,
    publicKey: server.publicKey,
    signer: { key: authority.privateKey, certificate: ca },
  })
  const key = server.privateKey.export({ type: 'pkcs8', format: 'der' })
  return { ca: encodePem('CERTIFICATE', ca), cert: encodePem('CERTIFICATE', cert), key: encodePem('PRIVATE KEY', key) }
}

/** The certificates of a bundle, one PEM block each; what is none is left out. */
export function certificatesOf(bundle: string): readonly string[] {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? []
  return blocks.filter((block) => readCertificate(block) !== undefined).map((block) => `${block.trim()}\n`)
}

export function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined // What cannot be read is made anew.
  }
}

function nanos(ms: number): bigint {
  return BigInt(ms) * 1_000_000n
}

/** Positive, without a leading zero, 16 bytes. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes
}
