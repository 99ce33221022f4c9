import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { messageOf } from '../base/errors.ts'
import { type Credentials, pluginCredentials, staticCredentials, tokenFileCredentials } from './credentials.ts'
import { kubeError } from './errors.ts'

/** How to reach one API server and who we are there. */
export interface KubeEndpoint {
  /** Without a slash at the end. */
  readonly server: string
  /** The namespace of the context, or of our own pod. */
  readonly namespace: string
  readonly tls: {
    readonly ca?: string | Buffer
    readonly cert?: string | Buffer
    readonly key?: string | Buffer
    readonly servername?: string
    readonly rejectUnauthorized?: boolean
  }
  readonly credentials: Credentials
}

export interface LoadOptions {
  /** KUBECONFIG, HOME, KUBERNETES_SERVICE_HOST and _PORT are looked at. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** @default the current context of the file */
  readonly context?: string | undefined
  /** Where a pod finds its service account. */
  readonly serviceAccountDir?: string
}

/** As kubectl finds its server: the files of KUBECONFIG, else ~/.kube/config, else the pod's service account. KUBE_CONFIG otherwise. */
export async function loadEndpoint(options: LoadOptions): Promise<KubeEndpoint> {
  const { env } = options
  const listed = env.KUBECONFIG?.split(delimiter).filter(Boolean) ?? []
  const paths = listed.length > 0 ? listed : [join(env.HOME ?? homedir(), '.kube', 'config')]
  const files = await readConfigs(paths)
  if (files.length > 0) return await endpointOf(merge(files), options.context)
  if (env.KUBERNETES_SERVICE_HOST && listed.length === 0) return await inClusterEndpoint(options)
  throw kubeError('KUBE_CONFIG', `no kubeconfig at ${paths.join(', ')} and not in a pod; set KUBECONFIG`)
}

/** From the text of one kubeconfig; relative file names in it count from `dir`. */
export async function parseEndpoint(
  text: string,
  options: { readonly context?: string | undefined; readonly dir?: string } = {},
): Promise<KubeEndpoint> {
  return await endpointOf(merge([await parseConfig(text, options.dir ?? '.')]), options.context)
}

async function inClusterEndpoint({
  env,
  serviceAccountDir = '/var/run/secrets/kubernetes.io/serviceaccount',
}: LoadOptions): Promise<KubeEndpoint> {
  const host = env.KUBERNETES_SERVICE_HOST ?? ''
  const port = env.KUBERNETES_SERVICE_PORT ?? '443'
  const namespace = await readFile(join(serviceAccountDir, 'namespace'), 'utf8').catch(() => 'default')
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    namespace: namespace.trim(),
    tls: { ca: await readNamed(join(serviceAccountDir, 'ca.crt')) },
    credentials: tokenFileCredentials(join(serviceAccountDir, 'token')),
  }
}

interface Named<Key extends string, T> {
  readonly entries: readonly ({ readonly name: string; readonly dir: string } & { readonly [K in Key]?: T })[]
}

interface Cluster {
  readonly server?: string
  readonly 'certificate-authority'?: string
  readonly 'certificate-authority-data'?: string
  readonly 'insecure-skip-tls-verify'?: boolean
  readonly 'tls-server-name'?: string
  readonly 'proxy-url'?: string
}

interface User {
  readonly token?: string
  readonly tokenFile?: string
  readonly username?: string
  readonly password?: string
  readonly 'client-certificate'?: string
  readonly 'client-certificate-data'?: string
  readonly 'client-key'?: string
  readonly 'client-key-data'?: string
  readonly exec?: unknown
  readonly 'auth-provider'?: unknown
}

interface Context {
  readonly cluster?: string
  readonly user?: string
  readonly namespace?: string
}

interface Config {
  readonly text: string
  readonly current?: string | undefined
  readonly clusters: Named<'cluster', Cluster>['entries']
  readonly users: Named<'user', User>['entries']
  readonly contexts: Named<'context', Context>['entries']
}

async function readConfigs(paths: readonly string[]): Promise<Config[]> {
  const configs: Config[] = []
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw kubeError('KUBE_CONFIG', `${path}: ${messageOf(error)}`, { cause: error })
    })
    if (text !== undefined) configs.push(await parseConfig(text, dirname(resolve(path))))
  }
  return configs
}

/** The yaml package is loaded only where there is a file to read: in a pod there is none. */
async function parseConfig(text: string, dir: string): Promise<Config> {
  // A bundle gives a CommonJS package that is imported lazily its default only.
  const { default: yaml } = await import('yaml')
  let raw: Record<string, unknown>
  try {
    raw = (yaml.parse(text) ?? {}) as Record<string, unknown>
  } catch (error) {
    throw kubeError('KUBE_CONFIG', `the kubeconfig is not YAML: ${messageOf(error)}`)
  }
  const entries = <T>(value: unknown): T[] =>
    Array.isArray(value) ? value.map((entry: object) => ({ ...entry, dir }) as T) : []
  return {
    text,
    current: typeof raw['current-context'] === 'string' && raw['current-context'] !== '' ? raw['current-context'] : undefined,
    clusters: entries(raw.clusters),
    users: entries(raw.users),
    contexts: entries(raw.contexts),
  }
}

/** The first file to say something wins, as in kubectl. */
function merge(configs: readonly Config[]): Config {
  return {
    text: configs[0]?.text ?? '',
    current: configs.find((config) => config.current)?.current,
    clusters: configs.flatMap((config) => config.clusters),
    users: configs.flatMap((config) => config.users),
    contexts: configs.flatMap((config) => config.contexts),
  }
}

async function endpointOf(config: Config, wanted: string | undefined): Promise<KubeEndpoint> {
  const name = wanted ?? config.current
  if (name === undefined) throw kubeError('KUBE_CONFIG', 'the kubeconfig has no current-context; name one')
  const context = config.contexts.find((entry) => entry.name === name)?.context
  if (!context) {
    const known = config.contexts.map((entry) => entry.name).join(', ') || 'none'
    throw kubeError('KUBE_CONFIG', `the kubeconfig has no context "${name}" (it has: ${known})`)
  }
  const cluster = config.clusters.find((entry) => entry.name === context.cluster)
  if (!cluster?.cluster?.server) throw kubeError('KUBE_CONFIG', `context "${name}": cluster "${context.cluster}" has no server`)
  if (cluster.cluster['proxy-url']) {
    throw kubeError('KUBE_CONFIG', `context "${name}": proxy-url is not supported; reach the API server directly`)
  }
  const user = config.users.find((entry) => entry.name === context.user)
  const { server, 'insecure-skip-tls-verify': insecure, 'tls-server-name': servername } = cluster.cluster
  const ca = await material(
    cluster.dir,
    cluster.cluster['certificate-authority-data'],
    cluster.cluster['certificate-authority'],
  )
  const cert = await material(user?.dir, user?.user?.['client-certificate-data'], user?.user?.['client-certificate'])
  const key = await material(user?.dir, user?.user?.['client-key-data'], user?.user?.['client-key'])
  return {
    server: server.replace(/\/+$/, ''),
    namespace: context.namespace || 'default',
    tls: {
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(servername && { servername }),
      ...(insecure && { rejectUnauthorized: false }),
    },
    credentials: credentialsOf(config, name, user?.dir ?? '.', user?.user),
  }
}

function credentialsOf(config: Config, context: string, dir: string, user: User | undefined): Credentials {
  if (user?.tokenFile) return tokenFileCredentials(resolve(dir, user.tokenFile))
  if (user?.token) return staticCredentials(`Bearer ${user.token}`)
  if (user?.username) {
    return staticCredentials(`Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`)
  }
  if (user?.exec || user?.['auth-provider']) return pluginCredentials(config.text, context)
  return staticCredentials(undefined)
}

async function material(
  dir: string | undefined,
  data: string | undefined,
  file: string | undefined,
): Promise<Buffer | undefined> {
  if (data) return Buffer.from(data, 'base64')
  return file ? await readNamed(resolve(dir ?? '.', file)) : undefined
}

async function readNamed(path: string): Promise<Buffer> {
  return await readFile(path).catch((error: unknown) => {
    throw kubeError('KUBE_CONFIG', `${path}: ${messageOf(error)}`, { cause: error })
  })
}
