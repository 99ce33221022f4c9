import { Command } from 'commander'
import { cliError } from '../../errors.ts'
import type { RepoDeps, RepoFlags } from './deps.ts'
import { printResult, repoCommand, withRepo } from './repo-command.ts'

/** `repair index`, `unlock`, `tag`, `init`. */
export function repairCommand(deps: RepoDeps): Command {
  const index = repoCommand('index', 'Make the index anew from the packs that are there. Alone: others wait.')
    .option('--read-all-packs', 'believe no index: read the header of every pack')
    .action((flags: RepoFlags & { readAllPacks?: boolean }) =>
      withRepo(deps, flags, async ({ repository }, { bar, onWarning }) => {
        const result = await repository.repairIndex({
          readAllPacks: flags.readAllPacks === true,
          signal: deps.signal,
          onWarning,
          onProgress: ({ packsRead, packCount }) => bar.update({ doneBytes: 0, note: `${packsRead} of ${packCount} packs` }),
        })
        const { packsAdded, packsGone, packsUnreadable, indexesDamaged } = result
        const text = `${packsAdded} packs added to the index, ${packsGone.length} listed ones are gone, ${packsUnreadable.length} cannot be read, ${indexesDamaged.length} damaged index files replaced\n`
        printResult(deps, flags, result, text)
      }),
    )
  return new Command('repair').description('Mend a repository.').addCommand(index)
}

export function unlockCommand(deps: RepoDeps): Command {
  return repoCommand('unlock', 'Remove locks of processes that are dead.')
    .option('--remove-all', 'also those that may be alive; make sure that nobody works there')
    .action((flags: RepoFlags & { removeAll?: boolean }) =>
      withRepo(deps, flags, async ({ repository }) => {
        const removed = await repository.unlock({ all: flags.removeAll === true, signal: deps.signal })
        printResult(deps, flags, { removed }, `${removed} locks removed\n`)
      }),
    )
}

interface TagFlags {
  readonly set?: readonly string[]
  readonly add?: readonly string[]
  readonly remove?: readonly string[]
}

export function tagCommand(deps: RepoDeps): Command {
  const split = (value: string, before: readonly string[] = []): readonly string[] => [...before, ...value.split(',')]
  return repoCommand('tag', 'Change the tags of snapshots; each gets a new id.')
    .argument('<ids...>', 'ids or beginnings of ids')
    .option('--set <tags>', 'instead of all that are there', split)
    .option('--add <tags>', 'besides', split)
    .option('--remove <tags>', 'no longer', split)
    .action((ids: string[], flags: RepoFlags & TagFlags) =>
      withRepo(deps, flags, async ({ repository }, { onWarning }) => {
        if (!flags.set && !flags.add && !flags.remove) throw cliError('CLI_USAGE', 'give --set, --add or --remove')
        const changed = await repository.changeTags({
          ids,
          signal: deps.signal,
          onWarning,
          ...(flags.set && { set: flags.set }),
          ...(flags.add && { add: flags.add }),
          ...(flags.remove && { remove: flags.remove }),
        })
        const lines = changed.map(
          ({ before, id, tags }) => `${before.slice(0, 8)} is ${id.slice(0, 8)} now: ${tags.join(',')}\n`,
        )
        printResult(deps, flags, changed, lines.join('') || 'nothing to change\n')
      }),
    )
}

export function initCommand(deps: RepoDeps): Command {
  return repoCommand('init', 'Make a repository where there is none.')
    .option('--like <url>', 'cut files as this repository does, so that copies share blobs; it is opened with the same key')
    .action(async (flags: RepoFlags & { like?: string }) => {
      const like = flags.like === undefined ? undefined : await deps.open({ ...flags, repo: flags.like })
      const likePolynomial = like?.repository.polynomial
      await like?.[Symbol.asyncDispose]()
      await using made = await deps.init(flags, likePolynomial === undefined ? {} : { likePolynomial })
      const { id, description } = made.repository
      printResult(deps, flags, { id, description }, `repository ${id.slice(0, 10)} made at ${description}\n`)
    })
}
