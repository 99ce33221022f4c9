type Json = Record<string, unknown>

/** Fields that a server fills in and that a cluster which never saw the object must fill in anew. */
const serverMetadata = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'ownerReferences',
  'selfLink',
  'finalizers',
])
const serverAnnotations =
  /^(kubectl\.kubernetes\.io\/last-applied-configuration|deployment\.kubernetes\.io\/|pv\.kubernetes\.io\/|volume\.(beta\.)?kubernetes\.io\/(storage-provisioner|selected-node))/
/** Of a Service: addresses and ports of the old cluster. Of a claim: the volume of the old cluster. */
const assigned: Readonly<Record<string, readonly string[]>> = {
  Service: ['clusterIP', 'clusterIPs', 'healthCheckNodePort', 'ipFamilies'],
  PersistentVolumeClaim: ['volumeName'],
}

/** The object as somebody could create it again, on this cluster or another. */
export function cleanManifest(object: Json): Json {
  const {
    status: _status,
    secrets: _tokens,
    metadata,
    spec,
    ...rest
  } = object as { status?: Json; secrets?: Json; metadata?: Json; spec?: Json }
  return {
    ...rest,
    metadata: cleanMetadata(metadata ?? {}),
    ...(spec ? { spec: cleanSpec(object['kind'], spec) } : {}),
  }
}

function cleanMetadata(metadata: Json): Json {
  const { annotations, ...rest } = Object.fromEntries(
    Object.entries(metadata).filter(([field]) => !serverMetadata.has(field)),
  ) as Json & {
    annotations?: Json
  }
  const kept = Object.entries(annotations ?? {}).filter(([name]) => !serverAnnotations.test(name))
  return { ...rest, ...(kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {}) }
}

function cleanSpec(kind: unknown, spec: Json): Json {
  // A headless Service is one by this very field.
  const dropped = (assigned[typeof kind === 'string' ? kind : ''] ?? []).filter(
    (field) => !(field.startsWith('clusterIP') && spec['clusterIP'] === 'None'),
  )
  const kept = Object.fromEntries(Object.entries(spec).filter(([field]) => !dropped.includes(field)))
  const { ports } = kept
  if (kind !== 'Service' || !Array.isArray(ports)) return kept
  const free = (ports as Json[]).map(({ nodePort: _nodePort, ...port }) => port)
  return { ...kept, ports: free }
}
