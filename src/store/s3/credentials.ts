import type { S3ClientConfig } from '@aws-sdk/client-s3'
import type { StoreTiming } from '../timing.ts'
import type { S3Credentials } from './settings.ts'

type GivenCredentials = NonNullable<S3ClientConfig['credentials']>

/** As long as Kanister's, and the most that a role may give which was assumed by a role. */
const roleSeconds = 3600

/**
 * What the client signs with. Keys are used as they are; a role's and the process's own credentials come from the SDK's providers, which
 * renew them minutes before they end, so also in the middle of an upload. Their library is loaded for these only.
 */
export async function openCredentials(
  given: S3Credentials,
  region: string | undefined,
  timing: Pick<StoreTiming, 'connectMs' | 'idleMs'>,
): Promise<GivenCredentials> {
  if ('accessKeyId' in given) return given
  const { fromNodeProviderChain, fromTemporaryCredentials } = await import('@aws-sdk/credential-providers')
  const clientConfig = {
    // It has no limits of its own, and whoever waits for credentials hears no signal.
    requestHandler: { connectionTimeout: timing.connectMs, socketTimeout: timing.idleMs },
    ...(region === undefined || region === '' ? {} : { region }),
    ...(given.stsEndpoint === undefined ? {} : { endpoint: given.stsEndpoint }),
  }
  // In this order: variables, web identity (IRSA), files, the container's endpoint (EKS Pod Identity, ECS), instance metadata.
  const own = fromNodeProviderChain({ clientConfig })
  if (given.role === undefined) return own
  return fromTemporaryCredentials({
    masterCredentials: given.keys ?? own,
    params: { RoleArn: given.role, RoleSessionName: 'holdfast', DurationSeconds: roleSeconds },
    clientConfig,
  })
}

/** True for credentials that may have ended while something newer can be had. */
export function canBeRenewed(given: S3Credentials): boolean {
  return !('accessKeyId' in given)
}
