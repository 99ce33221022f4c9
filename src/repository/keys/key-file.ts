import { randomBytes, scrypt } from 'node:crypto'
import { goJson } from '../../base/go-json.ts'
import { repositoryError } from '../errors.ts'
import { type Nanos, renderTime } from '../format/go-time.ts'
import { type Sealer, type SealingKey, createSealer, sealingKeyFromBytes } from '../format/seal.ts'

export interface KeyFileOptions {
  readonly password: string
  readonly created: Nanos
  readonly hostname: string
  readonly username: string
  /**
   * How much work one guess costs. A password made by us has 256 random bits, so nobody guesses and each opening may be cheap (60 ms);
   * one given by a person gets the cost restic would choose (300 ms).
   */
  readonly strength: 'random' | 'human'
}

interface Cost {
  readonly N: number
  readonly r: number
  readonly p: number
}

const costs = { random: { N: 32_768, r: 8, p: 1 }, human: { N: 32_768, r: 8, p: 5 } } as const satisfies Record<string, Cost>
const saltBytes = 64

/** A key file's text: the master key, sealed under a key that scrypt makes of the password. */
export async function renderKeyFile(master: SealingKey, options: KeyFileOptions): Promise<Buffer> {
  const salt = randomBytes(saltBytes)
  const cost = costs[options.strength]
  const user = await deriveSealer(options.password, salt, cost)
  return Buffer.from(
    goJson({
      created: renderTime(options.created),
      username: options.username,
      hostname: options.hostname,
      kdf: 'scrypt',
      ...cost,
      salt: salt.toString('base64'),
      data: user.seal(renderMaster(master)).toString('base64'),
    }),
  )
}

/** The master key, or undefined where the password is not this file's. `what` names the file in errors. */
export async function openKeyFile(json: Uint8Array, password: string, what: string): Promise<SealingKey | undefined> {
  const file = parseKeyFile(json, what)
  const user = await deriveSealer(password, file.salt, file)
  const master = user.tryOpen(file.data)
  return master && parseMaster(master, what)
}

interface KeyFile extends Cost {
  readonly salt: Buffer
  readonly data: Buffer
}

function parseKeyFile(json: Uint8Array, what: string): KeyFile {
  const value = readJson(json, what)
  const { N, r, p, kdf, salt, data } = value
  if (kdf !== 'scrypt')
    throw repositoryError('REPOSITORY_UNSUPPORTED', `${what}: key derivation ${JSON.stringify(kdf)} is not known; scrypt is`)
  if (
    typeof N !== 'number' ||
    typeof r !== 'number' ||
    typeof p !== 'number' ||
    typeof salt !== 'string' ||
    typeof data !== 'string'
  ) {
    throw repositoryError('REPOSITORY_DAMAGED', `${what}: a field is missing`)
  }
  assertBounded({ N, r, p }, what)
  return { N, r, p, salt: Buffer.from(salt, 'base64'), data: Buffer.from(data, 'base64') }
}

/** Whoever can write to the bucket chooses these numbers, and scrypt obeys: at most 256 MiB and about 10 s. */
function assertBounded({ N, r, p }: Cost, what: string): void {
  const powerOfTwo = Number.isInteger(N) && N >= 2 && Number.isInteger(Math.log2(N))
  const sane = powerOfTwo && Number.isInteger(r) && r >= 1 && Number.isInteger(p) && p >= 1 && p <= 64
  if (!sane || 128 * N * r > 256 << 20 || N * r * p > 1 << 25) {
    throw repositoryError('REPOSITORY_UNSUPPORTED', `${what}: scrypt parameters N=${N}, r=${r}, p=${p} are out of bounds`)
  }
}

function deriveSealer(password: string, salt: Uint8Array, { N, r, p }: Cost): Promise<Sealer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, 64, { N, r, p, maxmem: 256 * N * r + (1 << 20) }, (error, bytes) => {
      if (error) reject(error)
      else resolve(createSealer(sealingKeyFromBytes(bytes)))
    })
  })
}

function renderMaster({ encrypt, macK, macR }: SealingKey): Buffer {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
  return Buffer.from(goJson({ mac: { k: text(macK), r: text(macR) }, encrypt: text(encrypt) }))
}

function parseMaster(json: Uint8Array, what: string): SealingKey {
  const { mac, encrypt } = readJson(json, what)
  const { k, r } = (mac ?? {}) as { readonly k?: unknown; readonly r?: unknown }
  const bytes = [encrypt, k, r].map((text) => Buffer.from(typeof text === 'string' ? text : '', 'base64'))
  const [key, macK, macR] = bytes
  if (key?.length !== 32 || macK?.length !== 16 || macR?.length !== 16) {
    throw repositoryError('REPOSITORY_DAMAGED', `${what}: the master key in it is incomplete`)
  }
  return { encrypt: key, macK, macR }
}

function readJson(json: Uint8Array, what: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(json).toString())
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // Reported below; the text itself stays out of the message.
  }
  throw repositoryError('REPOSITORY_DAMAGED', `${what}: not the JSON of a key`)
}
