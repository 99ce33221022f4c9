import { createCipheriv, createDecipheriv, generateKeyPairSync } from 'node:crypto'
import { string, uint32 } from '../go/go-type.ts'
import { fromBytes, toBytes } from '../go/byte-string.ts'
import { corruptInput, decodeBase64 } from './base-decoding.ts'
import { defineTemplateFunction, FunctionError, type TemplateFunction } from './define.ts'
import { outOfRange } from './text-layout.ts'

export const cryptoFunctions: readonly TemplateFunction[] = [
  defineTemplateFunction({
    name: 'encryptAES',
    summary: 'Encrypts a text (second) with a password (first): AES-256-CBC, Base64. The password is the key as it is.',
    example: ['{{ encryptAES "secret" "text" | decryptAES "secret" }}', 'text'],
    params: [string, string],
    result: string,
    call: (host, password, text) => {
      if (text === '') return ''
      const iv = host.randomBytes(16)
      const cipher = createCipheriv('aes-256-cbc', keyOf(password), iv)
      return Buffer.concat([iv, cipher.update(toBytes(text)), cipher.final()]).toString('base64')
    },
  }),
  defineTemplateFunction({
    name: 'decryptAES',
    summary: 'Decrypts what `encryptAES` gave. Nothing shows that a password was wrong.',
    example: ['{{ encryptAES "secret" "text" | decryptAES "secret" }}', 'text'],
    params: [string, string],
    result: string,
    call: (_host, password, text) => (text === '' ? '' : decrypt(password, text)),
  }),
  defineTemplateFunction({
    name: 'genPrivateKey',
    summary: 'A new private key as PEM: `rsa` (4096 bits) or `ecdsa` (P-256).',
    example: ['{{ genPrivateKey "ecdsa" | trunc 30 }}', '-----BEGIN EC PRIVATE KEY-----'],
    params: [string],
    result: string,
    call: (_host, kind) => {
      switch (kind) {
        case 'rsa': {
          const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 4096 })
          return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
        }
        case 'ecdsa': {
          const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
          return privateKey.export({ type: 'sec1', format: 'pem' }).toString()
        }
        // Kanister lets this one through, and its sprig does not know it.
        case 'ed25519':
          return 'Unknown type ed25519'
        default:
          throw refused(`genPrivateKey for ${kind}`)
      }
    },
  }),
  defineTemplateFunction({
    name: 'derivePassword',
    summary: 'Always refused, as in Kanister.',
    params: [uint32, string, string, string, string],
    result: string,
    call: () => {
      throw refused('derivePassword')
    },
  }),
]

function refused(usage: string): FunctionError {
  return new FunctionError(`sprig usage of '${usage}' is not allowed by kanister as it is not FIPS compatible`)
}

/** The first 32 bytes of the password, filled up with zeros. */
function keyOf(password: string): Buffer {
  const key = Buffer.alloc(32)
  Buffer.from(toBytes(password)).copy(key)
  return key
}

function decrypt(password: string, text: string): string {
  const decoded = decodeBase64(text)
  if ('errorAt' in decoded) throw new FunctionError(corruptInput(64, decoded.errorAt))
  const { bytes } = decoded
  if (bytes.length < 16) {
    // Go complains with the room it had made for the decoded bytes.
    const capacity = Math.floor(text.length / 4) * 3
    if (capacity < 16) throw outOfRange(`[:16] with capacity ${capacity}`)
    throw outOfRange(`[16:${bytes.length}]`)
  }
  const body = bytes.subarray(16)
  if (body.length % 16 !== 0) throw new FunctionError('crypto/cipher: input not full blocks')
  if (body.length === 0) throw new FunctionError('runtime error: index out of range [-1]')
  const decipher = createDecipheriv('aes-256-cbc', keyOf(password), bytes.subarray(0, 16)).setAutoPadding(false)
  const plain = Buffer.concat([decipher.update(body), decipher.final()])
  const length = plain.length - (plain.at(-1) ?? 0)
  if (length < 0) throw outOfRange(`[:${length}]`)
  return fromBytes(plain.subarray(0, length))
}
