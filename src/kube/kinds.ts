import type {
  CoreV1Event,
  V1ConfigMap,
  V1CustomResourceDefinition,
  V1Deployment,
  V1Job,
  V1Lease,
  V1Namespace,
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1ReplicaSet,
  V1ReplicationController,
  V1Secret,
  V1Service,
  V1ServiceAccount,
  V1StatefulSet,
  V1ValidatingWebhookConfiguration,
} from '@kubernetes/client-node'
import { defineResource, type Unstructured, type Wire } from './objects.ts'

export type Pod = Wire<V1Pod>
export type Secret = Wire<V1Secret>
export type ConfigMap = Wire<V1ConfigMap>
export type Namespace = Wire<V1Namespace>
export type Node = Wire<V1Node>
export type Service = Wire<V1Service>
export type ServiceAccount = Wire<V1ServiceAccount>
export type PersistentVolumeClaim = Wire<V1PersistentVolumeClaim>
export type PersistentVolume = Wire<V1PersistentVolume>
export type StatefulSet = Wire<V1StatefulSet>
export type Deployment = Wire<V1Deployment>
export type ReplicaSet = Wire<V1ReplicaSet>
export type ReplicationController = Wire<V1ReplicationController>
export type Job = Wire<V1Job>
export type Lease = Wire<V1Lease>
export type CoreEvent = Wire<CoreV1Event>
export type CustomResourceDefinition = Wire<V1CustomResourceDefinition>
export type ValidatingWebhookConfiguration = Wire<V1ValidatingWebhookConfiguration>

const core = { group: '', version: 'v1' }
const apps = { group: 'apps', version: 'v1' }

/** The built-in collections we talk to, with types. Any other: `defineResource({ group, version, resource })`. */
export const kinds = {
  pods: defineResource<Pod>({ ...core, resource: 'pods', kind: 'Pod' }),
  secrets: defineResource<Secret>({ ...core, resource: 'secrets', kind: 'Secret' }),
  configMaps: defineResource<ConfigMap>({ ...core, resource: 'configmaps', kind: 'ConfigMap' }),
  services: defineResource<Service>({ ...core, resource: 'services', kind: 'Service' }),
  serviceAccounts: defineResource<ServiceAccount>({ ...core, resource: 'serviceaccounts', kind: 'ServiceAccount' }),
  events: defineResource<CoreEvent>({ ...core, resource: 'events', kind: 'Event' }),
  persistentVolumeClaims: defineResource<PersistentVolumeClaim>({
    ...core,
    resource: 'persistentvolumeclaims',
    kind: 'PersistentVolumeClaim',
  }),
  replicationControllers: defineResource<ReplicationController>({
    ...core,
    resource: 'replicationcontrollers',
    kind: 'ReplicationController',
  }),
  persistentVolumes: defineResource<PersistentVolume>({
    ...core,
    resource: 'persistentvolumes',
    kind: 'PersistentVolume',
    namespaced: false,
  }),
  namespaces: defineResource<Namespace>({ ...core, resource: 'namespaces', kind: 'Namespace', namespaced: false }),
  nodes: defineResource<Node>({ ...core, resource: 'nodes', kind: 'Node', namespaced: false }),
  statefulSets: defineResource<StatefulSet>({ ...apps, resource: 'statefulsets', kind: 'StatefulSet' }),
  deployments: defineResource<Deployment>({ ...apps, resource: 'deployments', kind: 'Deployment' }),
  replicaSets: defineResource<ReplicaSet>({ ...apps, resource: 'replicasets', kind: 'ReplicaSet' }),
  deploymentConfigs: defineResource<Unstructured>({
    group: 'apps.openshift.io',
    version: 'v1',
    resource: 'deploymentconfigs',
    kind: 'DeploymentConfig',
  }),
  jobs: defineResource<Job>({ group: 'batch', version: 'v1', resource: 'jobs', kind: 'Job' }),
  leases: defineResource<Lease>({ group: 'coordination.k8s.io', version: 'v1', resource: 'leases', kind: 'Lease' }),
  customResourceDefinitions: defineResource<CustomResourceDefinition>({
    group: 'apiextensions.k8s.io',
    version: 'v1',
    resource: 'customresourcedefinitions',
    kind: 'CustomResourceDefinition',
    namespaced: false,
  }),
  validatingWebhookConfigurations: defineResource<ValidatingWebhookConfiguration>({
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    resource: 'validatingwebhookconfigurations',
    kind: 'ValidatingWebhookConfiguration',
    namespaced: false,
  }),
} as const
