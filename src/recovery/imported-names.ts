/** Annotations of what came out of a bucket. */
export const importedNames = {
  /** UID of the ActionSet that it was. */
  uid: 'holdfast.dev/imported-uid',
  installation: 'holdfast.dev/imported-installation',
  cluster: 'holdfast.dev/imported-cluster',
  /** Of a Schedule: the namespace in which it was. */
  namespace: 'holdfast.dev/imported-namespace',
  /** Keys of its records, comma separated. Of a Schedule: the newest that holds it. */
  records: 'holdfast.dev/imported-records',
  /** Of an ActionSet: the Schedule that made it. */
  schedule: 'holdfast.dev/imported-schedule',
} as const
