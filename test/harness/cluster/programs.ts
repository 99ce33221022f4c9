import { join } from 'node:path'
import type { GoPrograms } from '../parts/go-programs.ts'
import { certificatesIn, nodeName } from './certificates.ts'
import type { Network } from './network.ts'
import type { NodeProgram } from './space.ts'

/** What the programs of a node are started with; the same values give the same commands, so any can be started again. */
export interface NodeSetup {
  readonly state: string
  /** Below the root of each cgroup tree. */
  readonly cgroup: string
  readonly network: Network
  readonly go: GoPrograms
  readonly s3: { readonly accessKey: string; readonly secretKey: string; readonly region: string }
}

export type ProgramName =
  | 'etcd'
  | 'containerd'
  | 's3'
  | 'redis'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubelet'
  | 'kube-proxy'
  | 'coredns'
  | 'open-volumes'

/** Those of the cluster itself, in the order in which they are started. */
export const clusterPrograms = [
  'etcd',
  'containerd',
  'open-volumes',
  'kube-apiserver',
  'coredns',
  'kubelet',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
] as const satisfies readonly ProgramName[]

/** Those beside it, which tests talk to even when the cluster is another one. */
export const servicePrograms = ['s3', 'redis'] as const satisfies readonly ProgramName[]

export const apiPort = 6443
export const s3Port = 9000
export const redisPort = 6379
const etcdUrl = 'http://127.0.0.1:2379'

export function nodeProgram(setup: NodeSetup, name: ProgramName): NodeProgram {
  return { name, ...commands[name](setup) }
}

type Command = Omit<NodeProgram, 'name'>

const commands: Record<ProgramName, (setup: NodeSetup) => Command> = {
  etcd: ({ state }) => ({
    program: 'etcd',
    args: [
      `--data-dir=${join(state, 'etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      '--listen-peer-urls=http://127.0.0.1:2380',
      // Nothing in here has to survive the machine.
      '--unsafe-no-fsync',
      '--quota-backend-bytes=8589934592',
      '--auto-compaction-retention=5m',
      '--log-level=warn',
    ],
  }),

  containerd: ({ state }) => ({ program: 'containerd', args: ['-c', join(state, 'containerd.toml')] }),

  // Root credentials go by the environment; further users (for tests of denied rights) are kept in s3-users.
  s3: ({ state, network, go, s3 }) => ({
    program: go.versitygw,
    args: [
      `--port=${network.nodeIp}:${s3Port}`,
      `--region=${s3.region}`,
      `--iam-dir=${join(state, 's3-users')}`,
      '--iam-cache-disable',
      '--keep-alive',
      '--quiet',
      'posix',
      s3Data(state),
    ],
    env: { ROOT_ACCESS_KEY: s3.accessKey, ROOT_SECRET_KEY: s3.secretKey },
  }),

  redis: ({ state, network }) => ({
    program: 'redis-server',
    args: [
      ...['--bind', network.nodeIp, '--port', String(redisPort), '--protected-mode', 'no'],
      ...['--dir', redisData(state), '--save', '', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'],
    ],
  }),

  'kube-apiserver': ({ state, network }) => {
    const { ca, apiserver, admin, serviceAccount } = certificatesIn(state)
    return kubernetesProgram(state, 'kube-apiserver', {
      'etcd-servers': etcdUrl,
      'bind-address': '0.0.0.0',
      'secure-port': String(apiPort),
      'advertise-address': network.nodeIp,
      'tls-cert-file': apiserver.cert,
      'tls-private-key-file': apiserver.key,
      'client-ca-file': ca.cert,
      'kubelet-client-certificate': admin.cert,
      'kubelet-client-key': admin.key,
      'kubelet-certificate-authority': ca.cert,
      'kubelet-preferred-address-types': 'InternalIP',
      'service-account-key-file': serviceAccount.publicKey,
      'service-account-signing-key-file': serviceAccount.key,
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-cluster-ip-range': network.serviceCidr,
      'authorization-mode': 'Node,RBAC',
      'enable-admission-plugins': 'NodeRestriction',
      'allow-privileged': 'true',
    })
  },

  'kube-controller-manager': ({ state }) => {
    const { ca, serviceAccount } = certificatesIn(state)
    return kubernetesProgram(state, 'kube-controller-manager', {
      kubeconfig: kubeconfigFile(state),
      'service-account-private-key-file': serviceAccount.key,
      'root-ca-file': ca.cert,
      'use-service-account-credentials': 'false',
      'leader-elect': 'false',
      'enable-hostpath-provisioner': 'true',
      'kube-api-qps': '100',
      'kube-api-burst': '200',
    })
  },

  'open-volumes': ({ state, go }) => ({ program: go['open-volumes'], args: [join(state, 'volumes')] }),

  'kube-scheduler': ({ state }) =>
    kubernetesProgram(state, 'kube-scheduler', {
      kubeconfig: kubeconfigFile(state),
      'leader-elect': 'false',
      'kube-api-qps': '100',
      'kube-api-burst': '200',
    }),

  kubelet: ({ state, network }) =>
    kubernetesProgram(state, 'kubelet', {
      kubeconfig: join(state, 'kubelet.kubeconfig'),
      config: join(state, 'kubelet.yaml'),
      'hostname-override': nodeName,
      'node-ip': network.nodeIp,
      'root-dir': join(state, 'kubelet'),
      'cert-dir': join(state, 'kubelet', 'pki'),
    }),

  'kube-proxy': ({ state, network }) =>
    kubernetesProgram(state, 'kube-proxy', {
      kubeconfig: kubeconfigFile(state),
      'hostname-override': nodeName,
      'proxy-mode': 'nftables',
      'cluster-cidr': network.podCidr,
      // The limits of connection tracking belong to the machine and stay as they are.
      'conntrack-max-per-core': '0',
      'conntrack-tcp-timeout-established': '0',
      'conntrack-tcp-timeout-close-wait': '0',
    }),

  coredns: ({ state, go }) => ({ program: go.coredns, args: ['-conf', join(state, 'Corefile')] }),
}

function kubernetesProgram(state: string, name: ProgramName, flags: Readonly<Record<string, string>>): Command {
  return { program: join(state, 'bin', name), args: Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`) }
}

/** The one that people and tests use. */
export function kubeconfigFile(state: string): string {
  return join(state, 'kubeconfig')
}

export function containerdSocket(state: string): string {
  return join(state, 'containerd', 'containerd.sock')
}

export function s3Data(state: string): string {
  return join(state, 's3')
}

export function redisData(state: string): string {
  return join(state, 'redis')
}
