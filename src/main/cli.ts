import { randomInt } from 'node:crypto'
import { Command } from 'commander'
import { HoldfastError, messageOf } from '../base/errors.ts'
import type { CreateActionSetDeps } from '../cli/kanctl/create-actionset/command.ts'
import { createActionSetCommand, type ConnectionFlags } from '../cli/kanctl/create-actionset/define.ts'
import { openKube } from '../kube/open.ts'
import { version } from './version.ts'

/** The command line of `holdfast`, and of kanctl where the words are the same. */
export async function main(words: readonly string[]): Promise<void> {
  const program = new Command('holdfast').description('Backs up and restores stateful applications on Kubernetes.').version(version)
  const create = program.command('create').description('Create objects of the cluster.')
  create.addCommand(createActionSetCommand('actionset', openCluster))
  await runProgram(program, words)
}

/** The plugin `kubectl-create-actionset`. */
export async function mainCreateActionSet(words: readonly string[]): Promise<void> {
  await runProgram(createActionSetCommand('kubectl create actionset', openCluster), words)
}

const closers: Array<() => Promise<void>> = []

async function openCluster(flags: ConnectionFlags): Promise<CreateActionSetDeps> {
  const kube = await openKube({
    ...(flags.context ? { context: flags.context } : {}),
    ...(flags.kubeconfig ? { kubeconfig: flags.kubeconfig } : {}),
    env: process.env,
  })
  closers.push(() => kube.close())
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')))
  return {
    kube,
    namespace: flags.namespace ?? kube.client.namespace,
    output: {
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
      live: process.stderr.isTTY === true,
    },
    signal: interrupted.signal,
    suffix: randomSuffix,
  }
}

/** The alphabet of names that Kubernetes generates: no vowels, no digits that look like letters. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

function randomSuffix(): string {
  return Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('')
}

async function runProgram(program: Command, words: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(words as string[], { from: 'user' })
  } catch (error) {
    process.stderr.write(`Error: ${messageOf(error)}\n`)
    process.exitCode = error instanceof HoldfastError ? error.exit : 1
  } finally {
    for (const close of closers) await close()
  }
}
