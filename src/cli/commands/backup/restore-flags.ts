import { type Command, Option } from 'commander'
import type { RestoreRequest } from '../../../recovery/restore-plan.ts'
import { cliError } from '../../errors.ts'
import type { PlaceFlags } from './deps.ts'

export interface RestoreFlags extends PlaceFlags {
  readonly toNamespace?: string
  readonly name?: string
  readonly storageClass?: readonly string[]
  readonly intoExisting?: boolean
  readonly overwrite: 'never' | 'replace'
  readonly action: string
  readonly option?: readonly string[]
  readonly accept?: readonly string[]
  readonly plan?: boolean
  readonly wait?: boolean
  readonly timeout: string
}

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value]

export function withRestoreFlags(command: Command): Command {
  return command
    .option('--plan', 'show what would be done and what would make it fail, and do nothing')
    .option('--to-namespace <name>', 'restore into this namespace; made where it is missing')
    .option('--name <name>', 'restore under this name')
    .option('--storage-class <old=new>', 'use another storage class; may be given several times', collect)
    .option('--into-existing', 'the application is there: its data is overwritten by the backup')
    .addOption(
      new Option('--overwrite <what>', 'ConfigMaps, Services and so on that are there')
        .choices(['never', 'replace'])
        .default('never'),
    )
    .option('--action <name>', 'action of the Blueprint', 'restore')
    .option('--option <name=value>', 'option of the action, over those of the backup', collect)
    .option('--accept <code>', 'go on in spite of this blocker of the plan; may be given several times', collect)
    .option('-w, --wait', 'wait until the data is there')
    .option('--timeout <duration>', 'how long the application, and with --wait the data, may take', '30m')
}

export function requestOf(flags: RestoreFlags, engineVersion: string): RestoreRequest {
  return {
    ...(flags.toNamespace === undefined ? {} : { toNamespace: flags.toNamespace }),
    ...(flags.name === undefined ? {} : { name: flags.name }),
    storageClasses: pairs(flags.storageClass, '--storage-class'),
    intoExisting: flags.intoExisting === true,
    overwrite: flags.overwrite,
    action: flags.action,
    options: pairs(flags.option, '--option'),
    accept: flags.accept ?? [],
    engineVersion,
  }
}

/** `name=value`, each of them. */
export function pairs(words: readonly string[] = [], flag: string): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=')
      if (at < 1) throw cliError('CLI_USAGE', `${flag} ${word}: write name=value`)
      return [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}
