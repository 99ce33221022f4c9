import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { anySlice, int, string, structType } from '../go/go-type.ts'
import { fromBytes } from '../go/byte-string.ts'
import { sprintValue } from '../go/print.ts'
import { quote } from '../go/quote.ts'
import { type GoSlice, GoStruct, type GoValue, textIn } from '../go/value.ts'
import { decodeBase64 } from './base-decoding.ts'
import { defineTemplateFunction, FunctionError, type TemplateFunction, type TemplateHost } from './define.ts'
import { decodePem, encodePem } from './pem.ts'
import { isAddress, signCertificate } from './x509.ts'

/** What the functions below give: `.Cert` and `.Key`, both PEM. */
const certificateType = structType('sprig.certificate', [
  { name: 'Cert', type: string },
  { name: 'Key', type: string },
])

const nanosPerDay = 86_400_000_000_000n

export const certificateFunctions: readonly TemplateFunction[] = [
  defineTemplateFunction({
    name: 'genCA',
    summary: 'A new certificate authority for a name and a number of days: `.Cert` and `.Key` as PEM.',
    example: ['{{ (genCA "my-ca" 365).Cert | trunc 27 }}', '-----BEGIN CERTIFICATE-----'],
    params: [string, int],
    result: certificateType,
    call: (host, name, days) => issue(host, { name, days, ips: [], dnsNames: [], isCa: true }),
  }),
  defineTemplateFunction({
    name: 'genSelfSignedCert',
    summary: 'A new certificate signed by itself: common name, list of IPs, list of DNS names, days.',
    example: ['{{ (genSelfSignedCert "db" nil (list "db.local") 365).Key | trunc 31 }}', '-----BEGIN RSA PRIVATE KEY-----'],
    params: [string, anySlice, anySlice, int],
    result: certificateType,
    call: (host, name, ips, dnsNames, days) => issue(host, subjectOf(name, ips, dnsNames, days)),
  }),
  defineTemplateFunction({
    name: 'genSignedCert',
    summary: 'As `genSelfSignedCert`, signed by an authority from `genCA` or `buildCustomCert`.',
    example: ['{{ $ca := genCA "ca" 9 }}{{ (genSignedCert "db" nil nil 9 $ca).Cert | contains "END" }}', 'true'],
    params: [string, anySlice, anySlice, int, certificateType],
    result: certificateType,
    call: (host, name, ips, dnsNames, days, authority) => {
      const [certificate = '', key = ''] = authority instanceof GoStruct ? authority.values : []
      const signer = signerOf(textIn(certificate) ?? '', textIn(key) ?? '')
      return issue(host, subjectOf(name, ips, dnsNames, days), signer)
    },
  }),
  defineTemplateFunction({
    name: 'buildCustomCert',
    summary: 'A certificate and its RSA key, both PEM in Base64, as an authority for `genSignedCert`.',
    params: [string, string],
    result: certificateType,
    call: (_host, certificate64, key64) => {
      const certificate = decoded(certificate64, 'unable to decode base64 certificate')
      const key = decoded(key64, 'unable to decode base64 private key')
      checkCertificate(certificate, 'decodedCert.Bytes')
      readRsaKey(key, 'decodedKey.Bytes')
      return new GoStruct(certificateType, [certificate, key])
    },
  }),
]

interface Subject {
  readonly name: string
  readonly days: bigint
  readonly ips: readonly string[]
  readonly dnsNames: readonly string[]
  readonly isCa: boolean
}

interface Signer {
  readonly key: KeyObject
  readonly certificate: Uint8Array
}

function subjectOf(name: string, ips: GoSlice, dnsNames: GoSlice, days: bigint): Subject {
  return { name, days, ips: ips.items.map(ipOf), dnsNames: dnsNames.items.map(dnsNameOf), isCa: false }
}

function ipOf(value: GoValue): string {
  if (typeof value !== 'string') throw new FunctionError(`error parsing ip: ${sprintValue(value)} is not a string`)
  if (!isAddress(value)) throw new FunctionError(`error parsing ip: ${value}`)
  return value
}

function dnsNameOf(value: GoValue): string {
  if (typeof value === 'string') return value
  throw new FunctionError(`error processing alternate dns name: ${sprintValue(value)} is not a string`)
}

function issue(host: TemplateHost, subject: Subject, signer?: Signer): GoStruct {
  const wrong = subject.dnsNames.find((name) => /[^\0-\x7f]/.test(name))
  if (wrong !== undefined) {
    throw new FunctionError(`error creating certificate: x509: ${quote(wrong)} cannot be encoded as an IA5String`)
  }
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const now = host.now()
  const certificate = signCertificate({
    commonName: subject.name,
    ips: subject.ips,
    dnsNames: subject.dnsNames,
    notBefore: now,
    notAfter: now + subject.days * nanosPerDay,
    serial: host.randomBytes(16),
    isCa: subject.isCa,
    publicKey,
    signer: signer ?? { key: privateKey },
  })
  const key = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  return new GoStruct(certificateType, [encodePem('CERTIFICATE', certificate), key])
}

function signerOf(certificatePem: string, keyPem: string): Signer {
  const certificate = checkCertificate(certificatePem, 'decodedSignerCert.Bytes')
  const key = readRsaKey(keyPem, 'decodedSignerKey.Bytes')
  const own = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const certified = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
  if (Buffer.compare(own, certified) !== 0) {
    throw new FunctionError("error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey")
  }
  return { key, certificate }
}

function decoded(text: string, complaint: string): string {
  const result = decodeBase64(text)
  if ('bytes' in result) return fromBytes(result.bytes)
  throw new FunctionError(complaint)
}

function checkCertificate(pem: string, what: string): Uint8Array {
  const block = decodePem(pem)
  if (!block) throw new FunctionError('unable to decode certificate')
  try {
    return new X509Certificate(block.bytes).raw
  } catch {
    // The reason comes from the crypto library in words of its own.
    throw new FunctionError(`error parsing certificate: ${what}: x509: malformed certificate`)
  }
}

function readRsaKey(pem: string, what: string): KeyObject {
  const block = decodePem(pem)
  if (!block) throw new FunctionError('unable to decode key')
  try {
    return createPrivateKey({ key: Buffer.from(block.bytes), type: 'pkcs1', format: 'der' })
  } catch {
    // As above.
    throw new FunctionError(`error parsing prive key: ${what}: x509: failed to parse private key as PKCS#1`)
  }
}
