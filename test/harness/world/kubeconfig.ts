import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'

/** The current context that a kubeconfig names. */
export async function currentContext(file: string): Promise<string> {
  const config: unknown = parse(await readFile(file, 'utf8'))
  if (typeof config === 'object' && config !== null && 'current-context' in config) return String(config['current-context'])
  throw new Error(`${file} names no current context: set one by \`kubectl config use-context\``)
}
