import { anything, list, map, object, optional, text, type TProperties } from '../schema/build.ts'
import type { KnownFunction } from './known-function.ts'

/**
 * Functions of Kanister 0.119 that may be missing here, with their arguments and outputs, so that a Blueprint that uses them is
 * read with the same care. What the registry has wins; an entry goes when its function is there.
 */
const word = text('Text.')
const maybe = optional(word)
const words = list(text('A word.'), 'Words.')
const texts = optional(map(text('Value.'), 'Texts by name.'))
const yamlList = optional(anything('A list, or a text that holds one in YAML.'))

const rdsCredentials = { credentialsSource: maybe, credentialsSecret: maybe, region: maybe }

function known(name: string, args: TProperties, outputs: readonly string[] = []): KnownFunction {
  return { name, args: object(args), outputs: Object.fromEntries(outputs.map((output) => [output, ''])) }
}

export const kanisterFunctions: readonly KnownFunction[] = [
  known('CreateCSISnapshot', { pvc: word, namespace: word, snapshotClass: word, name: maybe, labels: texts }, [
    'name',
    'pvc',
    'namespace',
    'restoreSize',
    'snapshotContent',
  ]),
  known('CreateCSISnapshotStatic', { name: word, namespace: word, driver: word, snapshotHandle: word, snapshotClass: word }, [
    'name',
    'namespace',
    'restoreSize',
    'snapshotContent',
  ]),
  known('RestoreCSISnapshot', {
    name: word,
    pvc: word,
    namespace: word,
    storageClass: word,
    restoreSize: word,
    accessModes: optional(words),
    volumeMode: maybe,
    labels: texts,
  }),
  known('DeleteCSISnapshot', { name: word, namespace: word }),
  known('DeleteCSISnapshotContent', { name: word }),
  known('CreateRDSSnapshot', { instanceID: word, dbEngine: maybe, ...rdsCredentials }, [
    'snapshotID',
    'instanceID',
    'securityGroupID',
    'allocatedStorage',
    'dbSubnetGroup',
  ]),
  known(
    'ExportRDSSnapshotToLocation',
    {
      namespace: word,
      instanceID: word,
      snapshotID: word,
      dbEngine: word,
      username: maybe,
      password: maybe,
      backupArtifactPrefix: maybe,
      databases: yamlList,
      securityGroupID: yamlList,
      dbSubnetGroup: maybe,
      podLabels: texts,
      podAnnotations: texts,
      ...rdsCredentials,
    },
    ['snapshotID', 'instanceID', 'securityGroupID', 'backupID'],
  ),
  known(
    'RestoreRDSSnapshot',
    {
      instanceID: word,
      snapshotID: maybe,
      namespace: maybe,
      backupArtifactPrefix: maybe,
      backupID: maybe,
      username: maybe,
      password: maybe,
      dbEngine: maybe,
      securityGroupID: yamlList,
      dbSubnetGroup: maybe,
      podLabels: texts,
      podAnnotations: texts,
      ...rdsCredentials,
    },
    ['endpoint'],
  ),
  known('DeleteRDSSnapshot', { snapshotID: word, dbEngine: maybe, ...rdsCredentials }),
]
