/** What the flags of `create actionset` say, as text: names, letters and meaning are kanctl's. */
export interface CreateActionSetFlags {
  readonly from?: string
  readonly action?: string
  readonly name?: string
  readonly blueprint?: string
  readonly configMaps: readonly string[]
  readonly secrets: readonly string[]
  readonly deployment: readonly string[]
  readonly statefulset: readonly string[]
  readonly deploymentconfig: readonly string[]
  readonly pvc: readonly string[]
  readonly namespacetargets: readonly string[]
  readonly objects: readonly string[]
  readonly options: readonly string[]
  readonly profile?: string
  readonly selector?: string
  readonly kind: string
  readonly selectorNamespace: string
  readonly labels: string
  readonly podlabels: readonly string[]
  readonly podannotations: readonly string[]
  readonly dryRun: boolean
  readonly skipValidation: boolean
  readonly wait: boolean
  /** Milliseconds. */
  readonly timeoutMs: number
}

interface FlagRow {
  readonly flags: string
  readonly description: string
  readonly list?: true
  readonly fallback?: string
}

/** Every flag, declared once; `command.ts` hands them to the parser in this order. */
export const createActionSetFlagRows: readonly FlagRow[] = [
  { flags: '-a, --action <name>', description: 'action of the Blueprint; needed without --from' },
  { flags: '-b, --blueprint <name>', description: 'Blueprint, in the namespace of the ActionSet; needed without --from' },
  { flags: '-f, --from <actionset>', description: 'finished ActionSet whose artifacts and settings the new one takes over' },
  { flags: '-A, --name <name>', description: 'name of the new ActionSet; made from the action when absent' },
  { flags: '-t, --statefulset <namespace/name>', description: 'StatefulSets to act on', list: true },
  { flags: '-d, --deployment <namespace/name>', description: 'Deployments to act on', list: true },
  { flags: '-D, --deploymentconfig <namespace/name>', description: 'DeploymentConfigs to act on', list: true },
  { flags: '-v, --pvc <namespace/name>', description: 'PersistentVolumeClaims to act on', list: true },
  { flags: '-T, --namespacetargets <namespace>', description: 'namespaces to act on', list: true },
  {
    flags: '-O, --objects <reference>',
    description: 'any objects: group/version/resource/namespace/name, or version/resource/namespace/name for the core group',
    list: true,
  },
  { flags: '-p, --profile <[namespace/]name>', description: 'Profile: where the data goes to or comes from' },
  { flags: '-s, --secrets <ref=namespace/name>', description: 'Secrets for the Blueprint', list: true },
  { flags: '-c, --config-maps <ref=namespace/name>', description: 'ConfigMaps for the Blueprint', list: true },
  { flags: '-o, --options <key=value>', description: 'options for the Blueprint', list: true },
  { flags: '-l, --selector <selector>', description: 'label selector for objects to act on' },
  {
    flags: '-k, --kind <kind>',
    description: 'kind for --selector: all, deployment, deploymentconfig, statefulset, pvc or namespace',
    fallback: 'all',
  },
  {
    flags: '--selector-namespace <namespace>',
    description: 'namespace for --selector; all namespaces when empty',
    fallback: '',
  },
  { flags: '--labels <k=v,…>', description: 'labels of the ActionSet', fallback: '' },
  { flags: '--podlabels <k=v,…>', description: 'labels for the pods that functions make', list: true },
  { flags: '--podannotations <k=v,…>', description: 'annotations for the pods that functions make', list: true },
  { flags: '--dry-run', description: 'print the ActionSet as YAML and create nothing' },
  { flags: '--skip-validation', description: 'do not check first that the objects named exist' },
  { flags: '-w, --wait', description: 'wait for the end, showing phases and progress; exit code 3 when it failed' },
  { flags: '--timeout <duration>', description: 'how long --wait waits, such as 30m or 12h', fallback: '24h' },
]
