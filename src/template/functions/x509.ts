import { createHash, type KeyObject, sign } from 'node:crypto'
import { isIPv4, isIPv6 } from 'node:net'
import { der, derBitString, derContext, derObjectId, derSequence, derTag, derUnsigned, readDer } from './der.ts'

/** What a certificate says, and who signs it. */
export interface CertificateRequest {
  readonly commonName: string
  readonly ips: readonly string[]
  readonly dnsNames: readonly string[]
  /** Times in nanoseconds since 1970. */
  readonly notBefore: bigint
  readonly notAfter: bigint
  readonly serial: Uint8Array
  readonly isCa: boolean
  readonly publicKey: KeyObject
  /** The signer's private key, and its certificate in DER unless the certificate signs itself. */
  readonly signer: { readonly key: KeyObject; readonly certificate?: Uint8Array }
}

const oid = {
  commonName: '2.5.4.3',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  sha256WithEcdsa: '1.2.840.10045.4.3.2',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const

/** A version 3 certificate in DER, signed with SHA-256 and RSA or ECDSA, as the signer's key is (RFC 5280). */
export function signCertificate(request: CertificateRequest): Buffer {
  const isEcdsa = request.signer.key.asymmetricKeyType === 'ec'
  const algorithm = isEcdsa
    ? derSequence(derObjectId(oid.sha256WithEcdsa))
    : derSequence(derObjectId(oid.sha256WithRsa), der(derTag.null))
  const subject = nameOf(request.commonName)
  const issuer = request.signer.certificate ? subjectIn(request.signer.certificate) : subject
  const body = derSequence(
    derContext(0, derUnsigned(Uint8Array.of(2))),
    derUnsigned(request.serial),
    algorithm,
    issuer,
    derSequence(timeOf(request.notBefore), timeOf(request.notAfter)),
    subject,
    request.publicKey.export({ type: 'spki', format: 'der' }),
    derContext(3, derSequence(...extensionsOf(request))),
  )
  return derSequence(body, algorithm, derBitString(sign('sha256', body, request.signer.key)))
}

/** The subject of a certificate, byte for byte: the issuer of what it signs must equal it. */
function subjectIn(certificate: Uint8Array): Uint8Array {
  const fields = fieldsOf(certificate)
  const subject = fields[5]
  return subject ? certificate.subarray(subject.start, subject.end) : nameOf('')
}

/** Version, serial, algorithm, issuer, validity, subject, key, extensions. */
function fieldsOf(certificate: Uint8Array): ReadonlyArray<ReturnType<typeof readDer>> {
  const body = readDer(certificate, readDer(certificate, 0).content)
  const fields: Array<ReturnType<typeof readDer>> = []
  for (let at = body.content; at < body.end; at = fields.at(-1)?.end ?? body.end) fields.push(readDer(certificate, at))
  return fields
}

function nameOf(commonName: string): Buffer {
  if (commonName === '') return derSequence()
  const tag = /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(commonName) ? derTag.printableString : derTag.utf8String
  const attribute = derSequence(derObjectId(oid.commonName), der(tag, Buffer.from(commonName)))
  return derSequence(der(derTag.set, attribute))
}

/** Two digits of the year up to 2049, four from then on. */
function timeOf(unixNanos: bigint): Buffer {
  const digits = new Date(Number(unixNanos / 1_000_000n)).toISOString().replace(/\.\d+Z$|[-:T]/g, '')
  const year = Number(digits.slice(0, 4))
  if (year >= 1950 && year < 2050) return der(derTag.utcTime, Buffer.from(`${digits.slice(2)}Z`))
  return der(derTag.generalizedTime, Buffer.from(`${digits}Z`))
}

function extensionsOf(request: CertificateRequest): readonly Buffer[] {
  const { isCa, ips, dnsNames, signer } = request
  // Digital signature and key encipherment, for an authority certificate signing too: bits 0, 2 and 5.
  const usage = isCa ? Buffer.from([2, 0xa4]) : Buffer.from([5, 0xa0])
  const extensions = [
    extension(oid.keyUsage, true, der(derTag.bitString, usage)),
    extension(oid.extendedKeyUsage, false, derSequence(derObjectId(oid.serverAuth), derObjectId(oid.clientAuth))),
    extension(oid.basicConstraints, true, derSequence(...(isCa ? [der(derTag.boolean, Buffer.from([0xff]))] : []))),
  ]
  if (isCa) extensions.push(extension(oid.subjectKeyId, false, der(derTag.octetString, keyIdOf(request.publicKey))))
  const signerKeyId = signer.certificate ? subjectKeyIdIn(signer.certificate) : undefined
  if (signerKeyId) extensions.push(extension(oid.authorityKeyId, false, derSequence(derContext(0, signerKeyId, 'primitive'))))
  if (ips.length + dnsNames.length > 0) {
    const names = [
      ...dnsNames.map((name) => derContext(2, Buffer.from(name), 'primitive')),
      ...ips.map((ip) => derContext(7, addressBytes(ip), 'primitive')),
    ]
    extensions.push(extension(oid.subjectAltName, false, derSequence(...names)))
  }
  return extensions
}

function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  const flag = critical ? [der(derTag.boolean, Buffer.from([0xff]))] : []
  return derSequence(derObjectId(id), ...flag, der(derTag.octetString, value))
}

/** The first 160 bits of the SHA-256 of the key (RFC 7093, method 1). */
function keyIdOf(key: KeyObject): Buffer {
  const spki = key.export({ type: 'spki', format: 'der' })
  const algorithm = readDer(spki, readDer(spki, 0).content)
  const bits = readDer(spki, algorithm.end)
  // The first octet of a bit string counts unused bits.
  return createHash('sha256')
    .update(spki.subarray(bits.content + 1, bits.end))
    .digest()
    .subarray(0, 20)
}

function subjectKeyIdIn(certificate: Uint8Array): Uint8Array | undefined {
  const holder = fieldsOf(certificate).find((field) => field.tag === 0xa3)
  if (!holder) return undefined
  const wanted = derObjectId(oid.subjectKeyId)
  const list = readDer(certificate, holder.content)
  for (let at = list.content; at < list.end;) {
    const item = readDer(certificate, at)
    const id = readDer(certificate, item.content)
    if (Buffer.compare(certificate.subarray(id.start, id.end), wanted) === 0) {
      const value = readDer(certificate, id.end)
      const keyId = readDer(certificate, value.content)
      return certificate.subarray(keyId.content, keyId.end)
    }
    at = item.end
  }
  return undefined
}

/** True for what Go's `net.ParseIP` takes. */
export function isAddress(text: string): boolean {
  return isIPv4(text) || (isIPv6(text) && !text.includes('%'))
}

function addressBytes(ip: string): Buffer {
  if (isIPv4(ip)) return Buffer.from(ip.split('.').map(Number))
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip) ?? []
  if (mapped !== undefined) return addressBytes(mapped)
  const plain = ip.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number)
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right]
  return Buffer.concat(groups.map((group) => Buffer.from(group.padStart(4, '0'), 'hex')))
}
