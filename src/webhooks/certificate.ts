import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import * as der from './der.ts'

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
export function makeServingCertificate(options: CertificateOptions): ServingCertificate {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const caName = commonName(`holdfast-webhook-ca ${randomBytes(4).toString('hex')}`)
  const validity = der.sequence(der.time(options.fromMs), der.time(options.untilMs))
  const signed = (subject: Buffer, key: KeyObject, extensions: readonly Buffer[]): string =>
    signedCertificate({ issuer: caName, subject, validity, key, extensions }, authority.privateKey)
  const authorityId = extension(oids.authorityKeyId, der.sequence(der.tagged(0, keyId(authority.publicKey), true)))
  return {
    ca: signed(caName, authority.publicKey, [
      extension(oids.basicConstraints, der.sequence(der.boolean(true)), true),
      // keyCertSign is bit 5.
      extension(oids.keyUsage, der.bitString(Buffer.of(0b0000_0100), 2), true),
      extension(oids.subjectKeyId, der.octetString(keyId(authority.publicKey))),
    ]),
    cert: signed(commonName(options.hosts[0].slice(0, 64)), server.publicKey, [
      extension(oids.basicConstraints, der.sequence(), true),
      // digitalSignature is bit 0.
      extension(oids.keyUsage, der.bitString(Buffer.of(0b1000_0000), 7), true),
      extension(oids.extendedKeyUsage, der.sequence(der.objectIdentifier(oids.serverAuth))),
      extension(oids.subjectAltName, der.sequence(...options.hosts.map(altName))),
      authorityId,
    ]),
    key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
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

const oids = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const

interface CertificateParts {
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly validity: Buffer
  readonly key: KeyObject
  readonly extensions: readonly Buffer[]
}

/** RFC 5280, section 4.1: what is signed, how, and the signature. */
function signedCertificate(parts: CertificateParts, signer: KeyObject): string {
  const algorithm = der.sequence(der.objectIdentifier(oids.ecdsaWithSha256))
  const version3 = der.tagged(0, der.integer(Buffer.of(2)))
  const content = der.sequence(
    version3,
    der.integer(serialNumber()),
    algorithm,
    parts.issuer,
    parts.validity,
    parts.subject,
    publicKeyInfo(parts.key),
    der.tagged(3, der.sequence(...parts.extensions)),
  )
  const signature = sign('sha256', content, { key: signer, dsaEncoding: 'der' })
  const bytes = der.sequence(content, algorithm, der.bitString(signature))
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** Positive, without a leading zero, 16 bytes. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes
}

function publicKeyInfo(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' })
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha1').update(publicKeyInfo(key)).digest()
}

function commonName(text: string): Buffer {
  return der.sequence(der.set(der.sequence(der.objectIdentifier(oids.commonName), der.utf8String(text))))
}

function extension(oid: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [der.boolean(true)] : []
  return der.sequence(der.objectIdentifier(oid), ...critical, der.octetString(value))
}

function altName(host: string): Buffer {
  if (isIP(host) === 4) return der.tagged(7, Buffer.from(host.split('.').map(Number)), true)
  return der.tagged(2, Buffer.from(host), true)
}
