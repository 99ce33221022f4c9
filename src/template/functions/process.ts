import { isIP } from 'node:net'
import { string } from '../go/go-type.ts'
import { defineTemplateFunction, FunctionError, type TemplateFunction, type TemplateHost } from './define.ts'
import { formatUuid } from './uuid.ts'

/** What templates may learn of the engine around them: only what the TemplateHost hands out. */
export const processFunctions: readonly TemplateFunction[] = [
  defineTemplateFunction({
    name: 'env',
    summary: 'A variable of the environment that the engine lets templates see; none by default.',
    example: ['[{{ env "NOT_ALLOWED" }}]', '[]'],
    params: [string],
    result: string,
    call: (host, name) => host.env.get(name) ?? '',
  }),
  defineTemplateFunction({
    name: 'expandenv',
    summary: 'A text with `$NAME` and `${NAME}` replaced by such variables.',
    example: ['{{ expandenv "[$NOT_ALLOWED]" }}', '[]'],
    params: [string],
    result: string,
    call: (host, text) => expandVariables(text, host),
  }),
  defineTemplateFunction({
    name: 'getHostByName',
    summary: 'An address of a host name, where the engine offers look-ups.',
    example: ['{{ getHostByName "127.0.0.1" }}', '127.0.0.1'],
    params: [string],
    result: string,
    call: (host, name) => {
      if (isIP(name) !== 0) return name
      const address = name === 'localhost' ? '127.0.0.1' : host.lookupHost(name)
      if (address === '') throw new FunctionError(`no address of host "${name}" is known to the engine`)
      return address
    },
  }),
  defineTemplateFunction({
    name: 'uuidv4',
    summary: 'A random UUID.',
    example: ['{{ uuidv4 | len }}', '36'],
    params: [],
    result: string,
    call: (host) => formatUuid(host.randomBytes(16)),
  }),
]

/**
 * `os.Expand`: after a dollar comes a name in braces, one of the shell's special characters, or letters, digits and
 * underscores. Braces with nothing in them or without an end are dropped, a dollar before anything else stays.
 */
function expandVariables(text: string, host: TemplateHost): string {
  return text.replace(/\$(?:\{([*#$@!?\-0-9])\}|\{\}|\{([^}]+)\}|(\{)|([*#$@!?\-0-9])|([A-Za-z0-9_]+))/g, (_, ...found) => {
    const [specialInBraces, inBraces, , special, plain] = found as ReadonlyArray<string | undefined>
    const name = specialInBraces ?? inBraces ?? special ?? plain
    return name === undefined ? '' : (host.env.get(name) ?? '')
  })
}
