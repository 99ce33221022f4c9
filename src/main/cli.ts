import { randomInt } from 'node:crypto'
import { Command, CommanderError } from 'commander'
import { HoldfastError, messageOf } from '../base/errors.ts'
import { actionSetCommands } from '../cli/commands/actionset/define.ts'
import { blueprintCommand, validateCommand } from '../cli/commands/blueprint/define.ts'
import type { BlueprintDeps } from '../cli/commands/blueprint/deps.ts'
import type { RenderDeps } from '../cli/commands/blueprint/render.ts'
import type { CreateActionSetDeps } from '../cli/kanctl/create-actionset/command.ts'
import { keyCommands } from '../cli/commands/key/define.ts'
import { createActionSetCommand, type ConnectionFlags } from '../cli/kanctl/create-actionset/define.ts'
import type { Output } from '../cli/output.ts'
import { readInput } from '../cli/read-input.ts'
import type { Kube } from '../kube/kube.ts'
import { openKube } from '../kube/open.ts'
import { watchOutputs } from './closed-output.ts'
import { version } from './version.ts'

/** The command line of `holdfast`, and of kanctl where the words are the same. */
export async function main(words: readonly string[]): Promise<void> {
  // Loaded for itself: it brings the repository along.
  const repo = words[0] === 'repo' ? await import('./repo-program.ts') : undefined
  const backup =
    words[0] === 'backup' || words[0] === 'catalog' || words[0] === 'dr' ? await import('./backup-program.ts') : undefined
  const retention = words[0] === 'retention' ? await import('./retention-program.ts') : undefined
  await runProgram(words, (open, ways) => {
    const program = new Command('holdfast')
      .description('Backs up and restores stateful applications on Kubernetes.')
      .version(version)
      .addHelpText('after', '\nThe engine itself: holdfast run, operator, worker. Inside of containers: holdfast kando.')
    const create = program.command('create').description('Create objects of the cluster.')
    create.addCommand(createActionSetCommand('actionset', open))
    program.addCommand(blueprintCommand(offline, async (flags) => renderDependencies(await open(flags))))
    program.addCommand(validateCommand(offline))
    for (const command of actionSetCommands(open)) program.addCommand(command)
    program.addCommand(
      keyCommands(async (flags) => {
        const [{ recoveryKeys }, { openStoreWith }] = await Promise.all([
          import('./recovery-keys.ts'),
          import('./own-identity.ts'),
        ])
        return recoveryKeys({ ...(await open(flags)), openStore: openStoreWith(ways.env) }, offline)
      }),
    )
    program.addCommand(
      repo ? repo.repoProgram({ output, ...ways }) : new Command('repo').description('Work on a repository of backups.'),
    )
    program.addCommand(
      retention?.retentionProgram({ output, ...ways }) ?? new Command('retention').description('Which backups stay.'),
    )
    for (const command of backup?.backupPrograms({ output, ...ways }) ?? backupPlaceholders()) program.addCommand(command)
    return program
  })
}

/** For the help of the whole; the commands are loaded when one of them is meant. */
function backupPlaceholders(): Command[] {
  return [
    new Command('backup').description('Backups: list, verify, download and restore them, with or without a cluster.'),
    new Command('catalog').description('The catalog of a place.'),
    new Command('dr').description('Disaster recovery: bring a catalog into a new cluster, take it over, restore everything.'),
  ]
}

const output: Output = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  live: process.stderr.isTTY === true,
}

/** For commands that ask no cluster. */
const offline: BlueprintDeps = {
  output,
  readText: (file) => readInput(file, process.stdin),
  finish: (exitCode) => void (process.exitCode = exitCode),
}

/** The plugin `kubectl-create-actionset`. */
export async function mainCreateActionSet(words: readonly string[]): Promise<void> {
  await runProgram(words, (open) => createActionSetCommand('kubectl create actionset', open))
}

/** For commands that ask the cluster only at times. */
interface Ways {
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly openKube: (flags: ConnectionFlags) => Promise<Kube>
}

type OpenCluster = (flags: ConnectionFlags) => Promise<CreateActionSetDeps>

/** Runs the words, prints a failure as one line and sets the exit code that its error names. */
async function runProgram(words: readonly string[], define: (open: OpenCluster, ways: Ways) => Command): Promise<void> {
  const opened: Kube[] = []
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')))
  const outputs = watchOutputs({
    outputs: [process.stdout, process.stderr],
    err: (text) => output.err(text),
    stop: (reason) => interrupted.abort(reason),
    finish: (exitCode) => void (process.exitCode = exitCode),
  })
  const connect = async (flags: ConnectionFlags): Promise<Kube> => {
    const kube = await openKube({
      env: process.env,
      ...(flags.context ? { context: flags.context } : {}),
      ...(flags.kubeconfig ? { kubeconfig: flags.kubeconfig } : {}),
    })
    opened.push(kube)
    return kube
  }
  const { signal } = interrupted
  const program = define(async (flags) => dependencies(await connect(flags), flags, signal), {
    env: process.env,
    signal,
    openKube: connect,
  })
  throwOnWrongFlags(program)
  try {
    await program.parseAsync(words as string[], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      // Already said; help and version end here too.
      process.exitCode = error.exitCode === 0 ? 0 : 2
      return
    }
    if (outputs.caused(error)) return
    process.stderr.write(`Error: ${messageOf(error)}\n`)
    process.exitCode = error instanceof HoldfastError ? error.exit : 1
  } finally {
    for (const kube of opened) await kube.close()
  }
}

/** The parser would exit with 1 by itself, before the cluster's connections are closed. */
function throwOnWrongFlags(command: Command): void {
  command.exitOverride()
  for (const inner of command.commands) throwOnWrongFlags(inner)
}

/** The engine is loaded for this one command only. */
async function renderDependencies({ kube, namespace, signal }: CreateActionSetDeps): Promise<RenderDeps> {
  const { openDryRun } = await import('./dry-run.ts')
  return { ...offline, kube, namespace, signal, dryRun: openDryRun(kube, signal) }
}

function dependencies(kube: Kube, flags: ConnectionFlags, signal: AbortSignal): CreateActionSetDeps {
  return {
    kube,
    namespace: flags.namespace ?? kube.client.namespace,
    output,
    signal,
    suffix: randomSuffix,
  }
}

/** The alphabet of names that Kubernetes generates: no vowels, no digits that look like letters. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

function randomSuffix(): string {
  return Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('')
}
