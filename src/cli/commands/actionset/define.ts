import { Command, Option } from 'commander'
import type { CreateActionSetDeps } from '../../kanctl/create-actionset/command.ts'
import type { ConnectionFlags } from '../../kanctl/create-actionset/define.ts'

/** What the commands on one ActionSet need. */
export type ActionSetDeps = Pick<CreateActionSetDeps, 'kube' | 'namespace' | 'output' | 'signal'>

type Open = (flags: ConnectionFlags) => Promise<ActionSetDeps>

const words = 'Exit codes: 0 done; 1 there is no such ActionSet, or it does not fit; 2 wrong flags'

/** `approve`, `cancel` and `status` of an ActionSet; what they need is loaded when it is asked for. */
export function actionSetCommands(open: Open): Command[] {
  return [approveCommand(open), cancelCommand(open), statusCommand(open)]
}

function approveCommand(open: Open): Command {
  return onActionSet('approve', 'Let a phase go on that waits for approval.')
    .option('--phase <name>', 'the phase; without it the one that waits now')
    .addHelpText('after', `\n${words}.\n\nExample:\n  holdfast approve restore-x7k2q --phase overwrite -n holdfast`)
    .action(async (name: string, flags: ConnectionFlags & { phase?: string }) => {
      const { approve } = await import('./approve.ts')
      await approve(name, flags.phase, await open(flags))
    })
}

function cancelCommand(open: Open): Command {
  return onActionSet(
    'cancel',
    'Stop an ActionSet: what runs is ended, the deferred phase runs, it fails with reason Cancelled.',
  )
    .option('-w, --wait', 'wait until nothing of it runs any more')
    .addOption(new Option('--timeout <duration>', 'with --wait: how long, as 90s or 30m').default('5m'))
    .addHelpText('after', `\n${words}; 4 the time to wait was over.\n\nExample:\n  holdfast cancel backup-x7k2q --wait`)
    .action(async (name: string, flags: ConnectionFlags & { wait?: boolean; timeout: string }) => {
      const { cancel } = await import('./cancel.ts')
      await cancel(name, { wait: flags.wait === true, timeout: flags.timeout }, await open(flags))
    })
}

function statusCommand(open: Open): Command {
  return onActionSet('status', 'Show what an ActionSet does, waits for, or ended with.')
    .addHelpText('after', `\n${words}.`)
    .action(async (name: string, flags: ConnectionFlags) => {
      const { showStatus } = await import('./status.ts')
      await showStatus(name, await open(flags))
    })
}

function onActionSet(verb: string, description: string): Command {
  return new Command(verb)
    .description(description)
    .argument('<name>', 'name of the ActionSet')
    .option('-n, --namespace <name>', 'namespace of the ActionSet; that of the context when absent')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig file')
}
