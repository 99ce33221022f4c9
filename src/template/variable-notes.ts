/** When a variable is there, and what it is: the words of its page, and of messages. One entry for each field of the context. */
export interface VariableNote {
  readonly summary: string
  /** When it is set. */
  readonly when: string
  readonly example: string
}

export const variableNotes: Readonly<Record<string, VariableNote>> = {
  StatefulSet: {
    summary: 'The StatefulSet acted on.',
    when: "The action's object is of kind `StatefulSet`.",
    example: '{{ index .StatefulSet.Pods 0 }}',
  },
  DeploymentConfig: {
    summary: 'The DeploymentConfig acted on.',
    when: "The action's object is of kind `DeploymentConfig`.",
    example: '{{ .DeploymentConfig.Namespace }}',
  },
  Deployment: {
    summary: 'The Deployment acted on.',
    when: "The action's object is of kind `Deployment`.",
    example: '{{ index .Deployment.Containers 0 0 }}',
  },
  PVC: {
    summary: 'The claim acted on.',
    when: "The action's object is of kind `PVC`.",
    example: '{{ .PVC.Name }}',
  },
  Namespace: {
    summary: 'The namespace acted on; both fields are its name.',
    when: "The action's object is of kind `Namespace`.",
    example: '{{ .Namespace.Name }}',
  },
  ArtifactsIn: {
    summary: 'Artifacts that the ActionSet brings, by name: those of the backup that is restored or deleted.',
    when: 'The ActionSet names them (`kubectl create actionset --from` takes them over). List them in `inputArtifactNames`.',
    example: '{{ .ArtifactsIn.dump.KeyValue.path }}',
  },
  ConfigMaps: {
    summary: 'ConfigMaps that the ActionSet names.',
    when: 'The ActionSet has them in `configMaps`. List them in `configMapNames`.',
    example: '{{ .ConfigMaps.location.Data.bucket }}',
  },
  Secrets: {
    summary: 'Secrets that the ActionSet names. Values are bytes.',
    when: 'The ActionSet has them in `secrets`. List them in `secretNames`.',
    example: '{{ .Secrets.aws.Data.key | toString }}',
  },
  Time: {
    summary: 'When the action was launched: UTC, RFC 3339 with nanoseconds. The same during all of the action.',
    when: 'Always.',
    example: '{{ toDate "2006-01-02T15:04:05.999999999Z07:00" .Time | date "2006-01-02" }}',
  },
  Profile: {
    summary: 'The Profile, with its credential. All of it is a secret.',
    when: 'The ActionSet names a Profile.',
    example: '{{ .Profile.Location.Bucket }}',
  },
  Options: {
    summary: 'Options of the ActionSet: texts by name. An absent one fails by its name and is empty by `index`.',
    when: 'Always; empty without options.',
    example: '{{ if index .Options "image" }}{{ .Options.image }}{{ end }}',
  },
  Object: {
    summary: 'The object acted on, as the API server gives it: names are those of its JSON.',
    when: 'Always.',
    example: '{{ .Object.metadata.namespace }}',
  },
  CurrentPhase: {
    summary: 'The phase that runs.',
    when: 'Only while functions render themselves; nothing in a Blueprint sees it.',
    example: '',
  },
  Phases: {
    summary: 'Phases of the action by name.',
    when: 'From the start of a phase on; its `Output` from its end on. In `objects` there are none yet.',
    example: '{{ .Phases.dump.Output.path }}',
  },
  DeferPhase: {
    summary: 'The deferred phase.',
    when: 'For output artifacts. While the deferred phase is prepared it has its Secrets and ConfigMaps.',
    example: '{{ .DeferPhase.Output.key }}',
  },
  PodOverride: {
    summary: 'The podOverride of the ActionSet.',
    when: 'The ActionSet has one.',
    example: '{{ toJson .PodOverride }}',
  },
  PodAnnotations: {
    summary: 'Annotations for pods, of the ActionSet.',
    when: 'Always; empty when it has none.',
    example: '{{ .PodAnnotations.team }}',
  },
  PodLabels: {
    summary: 'Labels for pods, of the ActionSet.',
    when: 'Always; empty when it has none.',
    example: '{{ .PodLabels.team }}',
  },
}
