import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { certificatesIn, makeCertificates, writeKubeconfig } from './certificates.ts'
import { apiPort, containerdSocket, kubeconfigFile, type NodeSetup, redisData, s3Data } from './programs.ts'

/** The name that containerd starts each pod's first container from. */
export const pauseImage = 'holdfast.dev/pause:1'

/** Writes every file that the programs of a node read: certificates, kubeconfigs, settings, links to the programs. */
export async function writeSettings(setup: NodeSetup): Promise<void> {
  const { state, network } = setup
  const folders = ['bin', 'cni', 'containerd', 'kubelet', 'pod-logs', 's3-users']
  for (const folder of folders) await mkdir(join(state, folder), { recursive: true })
  for (const folder of [s3Data(state), redisData(state)]) await mkdir(folder, { recursive: true })

  const { ca, admin, kubelet } = await makeCertificates(state, network)
  const server = `https://${network.nodeIp}:${apiPort}`
  await writeKubeconfig(kubeconfigFile(state), server, ca, admin)
  await writeKubeconfig(join(state, 'kubelet.kubeconfig'), server, ca, kubelet)

  for (const name of kubernetesNames) await symlink(setup.go.kubenode, join(state, 'bin', name))
  await writeFile(join(state, 'containerd.toml'), containerdSettings(setup))
  await writeFile(join(state, 'cni', '10-pods.conflist'), podNetwork(setup))
  await writeFile(join(state, 'kubelet.yaml'), kubeletSettings(setup))
  await writeFile(join(state, 'resolv.conf'), `nameserver ${network.nodeIp}\n`)
  await writeFile(join(state, 'Corefile'), corefile(setup))
}

const kubernetesNames = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
  'kubelet',
  'kubectl',
] as const

function containerdSettings({ state }: NodeSetup): string {
  const folder = join(state, 'containerd')
  return `version = 2
root = "${folder}/root"
state = "${folder}/state"
[grpc]
  address = "${containerdSocket(state)}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Not every machine lets root lower the OOM score of a process; without this each pod then dies at its start.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${state}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
`
}

/** Point-to-point links, not a bridge: all traffic between pods is routed, so Services work without bridge netfilter. */
function podNetwork({ network }: NodeSetup): string {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: network.podCidr }]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  return JSON.stringify({ cniVersion: '0.4.0', name: 'pods', plugins: [{ type: 'ptp', ipMasq: false, ipam }] }, null, 2)
}

function kubeletSettings({ state, cgroup, network }: NodeSetup): string {
  const { ca, kubelet } = certificatesIn(state)
  const settings = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: network.nodeIp,
    healthzBindAddress: '127.0.0.1',
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: ca.cert } },
    authorization: { mode: 'Webhook' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    containerRuntimeEndpoint: `unix://${containerdSocket(state)}`,
    tlsCertFile: kubelet.cert,
    tlsPrivateKeyFile: kubelet.key,
    clusterDomain: 'cluster.local',
    clusterDNS: [network.nodeIp],
    resolvConf: join(state, 'resolv.conf'),
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    maxPods: 250,
    podLogsDir: join(state, 'pod-logs'),
    volumePluginDir: join(state, 'kubelet', 'volume-plugins'),
  }
  return JSON.stringify(settings, null, 2)
}

/** Names of the cluster only: nothing in it needs the outer world, and a refusal at once beats a timeout. */
function corefile({ state, network }: NodeSetup): string {
  return `.:53 {
  bind ${network.nodeIp}
  errors
  cache 5
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfigFile(state)}
  }
}
`
}
