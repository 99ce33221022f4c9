/** Labels of a part of the installation; its pods are found by them. */
export function labels(name: string): Record<string, string> {
  return { 'app.kubernetes.io/name': `holdfast-${name}`, 'app.kubernetes.io/part-of': 'holdfast' }
}
