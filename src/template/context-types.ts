import { fromBytes } from './go/byte-string.ts'
import {
  anyMap,
  bool,
  bytes,
  definedType,
  type GoField,
  type GoMethod,
  type GoType,
  int,
  int64,
  mapOf,
  pointerTo,
  sliceOf,
  string,
  stringMap,
  stringSlice,
  structType,
} from './go/go-type.ts'
import { sprintValue } from './go/print.ts'
import { sortedKeys } from './go/sorted-keys.ts'
import { formatTime } from './go/time-format.ts'
import { goTime, timeType } from './go/time-type.ts'
import { GoBytes, GoMap, GoPointer, GoStruct, type GoTime, type GoValue, zeroTimeNanos } from './go/value.ts'

/**
 * The Go types behind what templates see: Kanister's `param.TemplateParams` and, inside of it, objects of Kubernetes.
 * Names, order of fields and `json` tags are an interface: they show in messages, in printed structs and in `toJson`.
 * The order inside of ObjectMeta is that of Kubernetes 1.33, which Kanister is built with.
 */

/** Methods below are called on values of their own struct type only, whose fields are as declared with them. */
function firstField<T extends GoValue>(struct: GoValue): T {
  return (struct as GoStruct).values[0] as T
}

/** metav1.Time. JSON is whole seconds in UTC, null for the zero time. */
const metaTimeType = structType('v1.Time', [{ name: 'Time', type: timeType, embedded: true }], {
  MarshalJSON: {
    params: [],
    result: bytes,
    second: 'error',
    call: (meta) => {
      const time = firstField<GoTime>(meta)
      const whole = formatTime(goTime(time.unixNanos), '2006-01-02T15:04:05Z07:00')
      return jsonBytes(time.unixNanos === zeroTimeNanos ? 'null' : `"${whole}"`)
    },
  },
})

function jsonBytes(text: string): GoBytes {
  return new GoBytes(new TextEncoder().encode(text))
}

const uidType = definedType('types.UID', string)

const ownerReferenceType = structType('v1.OwnerReference', [
  { name: 'APIVersion', type: string, json: 'apiVersion' },
  { name: 'Kind', type: string, json: 'kind' },
  { name: 'Name', type: string, json: 'name' },
  { name: 'UID', type: uidType, json: 'uid' },
  { name: 'Controller', type: pointerTo(bool), json: 'controller,omitempty' },
  { name: 'BlockOwnerDeletion', type: pointerTo(bool), json: 'blockOwnerDeletion,omitempty' },
])

/** Its JSON, and its text, is its raw bytes. */
const fieldsV1Type = structType('v1.FieldsV1', [{ name: 'Raw', type: bytes, json: '-' }], {
  String: { params: [], result: string, call: (fields) => fromBytes(firstField<GoBytes>(fields).bytes) },
  MarshalJSON: { params: [], result: bytes, second: 'error', call: (fields) => firstField<GoBytes>(fields) },
})

const managedFieldsEntryType = structType('v1.ManagedFieldsEntry', [
  { name: 'Manager', type: string, json: 'manager,omitempty' },
  { name: 'Operation', type: definedType('v1.ManagedFieldsOperationType', string), json: 'operation,omitempty' },
  { name: 'APIVersion', type: string, json: 'apiVersion,omitempty' },
  { name: 'Time', type: pointerTo(metaTimeType), json: 'time,omitempty' },
  { name: 'FieldsType', type: string, json: 'fieldsType,omitempty' },
  { name: 'FieldsV1', type: pointerTo(fieldsV1Type), json: 'fieldsV1,omitempty' },
  { name: 'Subresource', type: string, json: 'subresource,omitempty' },
])

const objectMetaFields: readonly GoField[] = [
  { name: 'Name', type: string, json: 'name,omitempty' },
  { name: 'GenerateName', type: string, json: 'generateName,omitempty' },
  { name: 'Namespace', type: string, json: 'namespace,omitempty' },
  { name: 'SelfLink', type: string, json: 'selfLink,omitempty' },
  { name: 'UID', type: uidType, json: 'uid,omitempty' },
  { name: 'ResourceVersion', type: string, json: 'resourceVersion,omitempty' },
  { name: 'Generation', type: int64, json: 'generation,omitempty' },
  { name: 'CreationTimestamp', type: metaTimeType, json: 'creationTimestamp,omitempty' },
  { name: 'DeletionTimestamp', type: pointerTo(metaTimeType), json: 'deletionTimestamp,omitempty' },
  { name: 'DeletionGracePeriodSeconds', type: pointerTo(int64), json: 'deletionGracePeriodSeconds,omitempty' },
  { name: 'Labels', type: stringMap, json: 'labels,omitempty' },
  { name: 'Annotations', type: stringMap, json: 'annotations,omitempty' },
  { name: 'OwnerReferences', type: sliceOf(ownerReferenceType), json: 'ownerReferences,omitempty' },
  { name: 'Finalizers', type: stringSlice, json: 'finalizers,omitempty' },
  { name: 'ManagedFields', type: sliceOf(managedFieldsEntryType), json: 'managedFields,omitempty' },
]

/** `GetName` and its like exist for pointers only: `.Profile.Credential.Secret` is one, `.Secrets.x` is not. */
function getters(fields: readonly GoField[]): Readonly<Record<string, GoMethod>> {
  return Object.fromEntries(
    fields.map((field, at) => [
      `Get${field.name}`,
      // Called on values of this struct type only.
      { pointer: true, params: [], result: field.type, call: (meta: GoValue) => (meta as GoStruct).values[at] ?? null },
    ]),
  )
}

const objectMetaType = structType('v1.ObjectMeta', objectMetaFields, getters(objectMetaFields))

const typeMetaType = structType('v1.TypeMeta', [
  { name: 'Kind', type: string, json: 'kind,omitempty' },
  { name: 'APIVersion', type: string, json: 'apiVersion,omitempty' },
])

const objectFields: readonly GoField[] = [
  { name: 'TypeMeta', type: typeMetaType, embedded: true, json: ',inline' },
  { name: 'ObjectMeta', type: objectMetaType, embedded: true, json: 'metadata,omitempty' },
  { name: 'Immutable', type: pointerTo(bool), json: 'immutable,omitempty' },
]

/** Pointers to these print by a method of their own; its layout is generated in Kubernetes, field by field. */
function objectText(name: string, order: readonly string[]): Readonly<Record<string, GoMethod>> {
  return { String: { pointer: true, nilSafe: true, params: [], result: string, call: (it) => textOfObject(name, order, it) } }
}

function textOfObject(name: string, order: readonly string[], object: GoValue): string {
  if (!(object instanceof GoStruct)) return 'nil'
  const fields = (object.type.fields ?? []).map((field, at) => [field.name, object.values[at] ?? null] as const)
  const values = new Map(fields)
  const meta = sprintValue(values.get('ObjectMeta') ?? null)
    .replace('ObjectMeta', 'v1.ObjectMeta')
    .replace('&', '')
  const rest = order.map((field) => `${field}:${textOfField(values.get(field) ?? null)},`)
  return `&${name}{ObjectMeta:${meta},${rest.join('')}}`
}

function textOfField(value: GoValue): string {
  if (value instanceof GoPointer) return value.target === null ? 'nil' : `*${sprintValue(value.target)}`
  if (!(value instanceof GoMap)) return sprintValue(value)
  const entries = sortedKeys(value).map((key) => `${String(key)}: ${sprintValue(value.entries.get(key) ?? null)},`)
  const elem = value.type.elem?.name === '[]uint8' ? '[]byte' : value.type.elem?.name
  return `map[string]${elem}{${entries.join('')}}`
}

export const secretType = structType(
  'v1.Secret',
  [
    ...objectFields,
    { name: 'Data', type: mapOf(string, bytes), json: 'data,omitempty' },
    { name: 'StringData', type: stringMap, json: 'stringData,omitempty' },
    { name: 'Type', type: definedType('v1.SecretType', string), json: 'type,omitempty' },
  ],
  objectText('Secret', ['Data', 'Type', 'StringData', 'Immutable']),
)

export const configMapType = structType(
  'v1.ConfigMap',
  [
    ...objectFields,
    { name: 'Data', type: stringMap, json: 'data,omitempty' },
    { name: 'BinaryData', type: mapOf(string, bytes), json: 'binaryData,omitempty' },
  ],
  objectText('ConfigMap', ['Data', 'BinaryData', 'Immutable']),
)

function workloadType(name: string): GoType {
  return pointerTo(
    structType(name, [
      { name: 'Name', type: string },
      { name: 'Namespace', type: string },
      { name: 'Pods', type: stringSlice },
      { name: 'Containers', type: sliceOf(stringSlice) },
      { name: 'PersistentVolumeClaims', type: mapOf(string, stringMap) },
    ]),
  )
}

function namedType(name: string): GoType {
  return pointerTo(
    structType(name, [
      { name: 'Name', type: string },
      { name: 'Namespace', type: string },
    ]),
  )
}

const artifactType = structType('v1alpha1.Artifact', [
  { name: 'KeyValue', type: stringMap, json: 'keyValue,omitempty' },
  { name: 'KopiaSnapshot', type: string, json: 'kopiaSnapshot,omitempty' },
])

const locationType = structType('v1alpha1.Location', [
  { name: 'Type', type: definedType('v1alpha1.LocationType', string), json: 'type' },
  { name: 'Bucket', type: string, json: 'bucket' },
  { name: 'Endpoint', type: string, json: 'endpoint' },
  { name: 'Prefix', type: string, json: 'prefix' },
  { name: 'Region', type: string, json: 'region' },
  // Ours, so that `kando` in a pod sees them too; nothing of them is printed where they are not used.
  { name: 'CABundle', type: string, json: 'caBundle,omitempty' },
  { name: 'Checksums', type: string, json: 'checksums,omitempty' },
  { name: 'ObjectLock', type: string, json: 'objectLock,omitempty' },
])

const keyPairType = structType('param.KeyPair', [
  { name: 'ID', type: string },
  { name: 'Secret', type: string },
])

const kopiaServerCredsType = structType('param.KopiaServerCreds', [
  { name: 'Username', type: string },
  { name: 'Hostname', type: string },
  { name: 'Password', type: string },
  { name: 'Cert', type: string },
  { name: 'ConnectOptions', type: mapOf(string, int) },
])

const credentialType = structType('param.Credential', [
  { name: 'Type', type: definedType('param.CredentialType', string) },
  { name: 'KeyPair', type: pointerTo(keyPairType) },
  { name: 'Secret', type: pointerTo(secretType) },
  { name: 'KopiaServerSecret', type: pointerTo(kopiaServerCredsType) },
])

const profileType = structType('param.Profile', [
  { name: 'Location', type: locationType },
  { name: 'Credential', type: credentialType },
  { name: 'SkipSSLVerify', type: bool },
])

const phaseType = pointerTo(
  structType('param.Phase', [
    { name: 'Secrets', type: mapOf(string, secretType) },
    { name: 'ConfigMaps', type: mapOf(string, configMapType) },
    { name: 'Output', type: anyMap },
  ]),
)

export const templateParamsType = structType('param.TemplateParams', [
  { name: 'StatefulSet', type: workloadType('param.StatefulSetParams') },
  { name: 'DeploymentConfig', type: workloadType('param.DeploymentConfigParams') },
  { name: 'Deployment', type: workloadType('param.DeploymentParams') },
  { name: 'PVC', type: namedType('param.PVCParams') },
  { name: 'Namespace', type: namedType('param.NamespaceParams') },
  { name: 'ArtifactsIn', type: mapOf(string, artifactType) },
  { name: 'ConfigMaps', type: mapOf(string, configMapType) },
  { name: 'Secrets', type: mapOf(string, secretType) },
  { name: 'Time', type: string },
  { name: 'Profile', type: pointerTo(profileType) },
  { name: 'Options', type: stringMap },
  { name: 'Object', type: anyMap },
  { name: 'CurrentPhase', type: phaseType },
  { name: 'Phases', type: mapOf(string, phaseType) },
  { name: 'DeferPhase', type: phaseType },
  { name: 'PodOverride', type: definedType('v1alpha1.JSONMap', anyMap) },
  { name: 'PodAnnotations', type: stringMap },
  { name: 'PodLabels', type: stringMap },
])
