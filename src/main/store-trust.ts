import { readFile } from 'node:fs/promises'
import { messageOf } from '../base/errors.ts'
import { cliError } from '../cli/errors.ts'
import type { ResolvedProfile } from '../store/profile-json.ts'

/** Which certificates of the store a command trusts. */
export interface TrustFlags {
  /** A file with the PEM certificates of the authorities to trust. */
  readonly caFile?: string
  /** Any at all. */
  readonly insecureTls?: boolean
}

/** The Profile with what the flags say in place of what it says itself. Throws CLI_USAGE when the file is of no use. */
export async function trusting(profile: ResolvedProfile, { caFile, insecureTls }: TrustFlags): Promise<ResolvedProfile> {
  return {
    ...profile,
    ...(caFile === undefined ? {} : { location: { ...profile.location, caBundle: await readBundle(caFile) } }),
    ...(insecureTls === true ? { skipSslVerify: true } : {}),
  }
}

/** Node takes a bundle without certificates for one that trusts nobody, and says nothing of it. */
async function readBundle(file: string): Promise<string> {
  let bundle: string
  try {
    bundle = await readFile(file, 'utf8')
  } catch (error) {
    throw cliError('CLI_USAGE', `--ca-file cannot be read: ${messageOf(error)}`, { cause: error })
  }
  if (bundle.includes('-----BEGIN CERTIFICATE-----')) return bundle
  throw cliError(
    'CLI_USAGE',
    `--ca-file ${file} holds no certificate: PEM is wanted, which begins with "-----BEGIN CERTIFICATE-----"`,
  )
}
