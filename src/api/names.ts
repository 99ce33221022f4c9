/** Labels and annotations that we read or write on objects of the cluster, each named once. */
export const names = {
  /** Kanister's group: ActionSet, Blueprint, Profile. */
  kanisterGroup: 'cr.kanister.io',
  group: 'holdfast.dev',
  version: 'v1alpha1',
  /**
   * On an ActionSet, as an annotation, `true`: stop what runs, run the deferred phase, end as failed with reason Cancelled.
   * On its Run the operator makes a label of it, so that workers can watch for it.
   */
  cancel: 'holdfast.dev/cancel',
  /** On Runs and job pods: the ActionSet they belong to. Labels, so that they can be found. */
  actionSetName: 'holdfast.dev/actionset',
  actionSetUid: 'holdfast.dev/actionset-uid',
  /** On job pods, as an annotation: `<uid>/<action index>/<phase>/<attempt>`. A pod without it is never adopted. */
  owner: 'holdfast.dev/owner',
  /** Label of a Run: `true` until the write that ends it makes it `false`, so that a selector finds the unfinished cheaply. */
  unfinished: 'holdfast.dev/unfinished',
  /** On an ActionSet, as an annotation: the phase that may go on, or `true` for whichever waits. */
  approve: 'holdfast.dev/approve',
  /** Label of an ActionSet that a Schedule made: the Schedule's name. */
  schedule: 'holdfast.dev/schedule',
  /** Label of a finished Run whose records are linked into their chains. */
  catalogued: 'holdfast.dev/catalogued',
  /** Label of an ActionSet by which the retention of a Schedule removes a backup: the Schedule's name. */
  retention: 'holdfast.dev/retention',
  /** Annotations beside it: the id of the backup, and how often this was tried. */
  backup: 'holdfast.dev/backup',
  attempt: 'holdfast.dev/attempt',
  /** Annotation beside it, instead of a backup: the repository that is pruned, as bucket and key. */
  prunedRepository: 'holdfast.dev/pruned-repository',
  /** Annotations of a Schedule's ActionSet: the slot it is for, and the object as `namespace/kind/name`. */
  slot: 'holdfast.dev/slot',
  scheduledObject: 'holdfast.dev/scheduled-object',
  /** Label of an ActionSet that came out of a bucket: `true` while the backups are another installation's, `owned` after a takeover. */
  imported: 'holdfast.dev/imported',
  /**
   * Label of a Verification's throw-away namespace, of what is in it and of its ActionSets: the Verification's name. On a Verification that a
   * Schedule made, `schedule` names that.
   */
  verification: 'holdfast.dev/verification',
  /** On such a namespace, as an annotation: the UID of the Verification, and the namespace in which it is. */
  verificationUid: 'holdfast.dev/verification-uid',
  verificationNamespace: 'holdfast.dev/verification-namespace',
  /** Label on an object or namespace: the Schedule of the engine's namespace that protects it, or `default`. */
  policy: 'holdfast.dev/policy',
  /** Annotation beside it: the Blueprint for this object, instead of the Schedule's. */
  blueprint: 'holdfast.dev/blueprint',
  /** Label of a Run that shares its objects with nobody, so that a worker finds those cheaply. */
  serialized: 'holdfast.dev/serialized',
  /** Label of the Leases by which workers show that they live. */
  workerLease: 'holdfast.dev/worker',
  /** Kanister's fixed label of every pod made by a function. */
  createdBy: 'createdBy',
  jobId: 'kanister.io/JobID',
  kanisterLabelPrefix: 'kanister.io/',
} as const

/**
 * Fields of ours on Kanister's kinds, as annotations. A Kanister beside us overwrites the CRDs at each of its starts and our
 * fields are then pruned; the annotation of the same meaning survives. The field wins where both are there.
 */
export const fieldAnnotations = {
  templateLanguage: 'holdfast.dev/template-language',
  executionMode: 'holdfast.dev/execution-mode',
  priority: 'holdfast.dev/priority',
  serialize: 'holdfast.dev/serialize',
  queueTimeout: 'holdfast.dev/queue-timeout',
  ttlAfterFinished: 'holdfast.dev/ttl-after-finished',
  /** On a Blueprint: the phases that wait for approval, as `action/phase`, comma separated. */
  suspend: 'holdfast.dev/suspend',
  /** On a Blueprint: timeout, retry and resume as JSON, by `action` or `action/phase`. */
  phasePolicies: 'holdfast.dev/phase-policies',
  /** Of Profiles: location.caBundle, .checksums and .objectLock. */
  caBundle: 'holdfast.dev/ca-bundle',
  checksums: 'holdfast.dev/checksums',
  objectLock: 'holdfast.dev/object-lock',
  /** On a Profile: recordSecrets. */
  recordSecrets: 'holdfast.dev/record-secrets',
} as const
