import { Command } from 'commander'
import { cliError } from '../../errors.ts'
import { KandoExit } from '../exit.ts'
import type { KandoDeps, Target } from '../deps.ts'
import type { OutputName, ProcessClient, ServedProcess } from './processes.ts'
import { renderProcess, renderProcessJson } from './render-process.ts'

/** Of `client execute`, before the number of the gRPC status. */
const grpcExitOffset = 15

/** `kando process`: a server that runs commands for clients at a unix socket, keeps what they print, and tells their end. */
export function processCommand(deps: KandoDeps): Command {
  return new Command('process')
    .description('Run commands by a server at a unix socket, follow their output, signal them, ask for their end.')
    .option('-a, --address <socket>', 'the unix socket', '/tmp/kanister.sock')
    .addCommand(serverCommand(deps))
    .addCommand(clientCommand(deps))
}

function serverCommand({ processes, output, clock, signal }: KandoDeps): Command {
  return new Command('server')
    .description('Run commands for whoever may open the socket: this user. Says on stderr what they print with -v info.')
    .action(async (_flags: object, command: Command) => {
      const { address, verbosity } = command.optsWithGlobals<Flags>()
      const talks = ['info', 'debug', 'trace'].includes(verbosity)
      const log = (message: string, fields: object): void => {
        if (talks)
          output.err(
            `${JSON.stringify({ level: 'info', time: new Date(clock.now()).toISOString(), msg: message, ...fields })}\n`,
          )
      }
      await processes.serve(address, { log, signal })
    })
}

function clientCommand(deps: KandoDeps): Command {
  return new Command('client')
    .description('Ask the server. Put -- before a command that has flags of its own.')
    .option('-j, --as-json', 'print processes as JSON')
    .option('-q, --quiet', 'do not print processes')
    .addCommand(createCommand(deps))
    .addCommand(executeCommand(deps))
    .addCommand(getCommand(deps))
    .addCommand(listCommand(deps))
    .addCommand(signalCommand(deps))
    .addCommand(outputCommand(deps))
}

interface Flags {
  readonly address: string
  readonly verbosity: string
  readonly asJson?: boolean
  readonly quiet?: boolean
  readonly signalProxy?: boolean
  readonly exitProxy?: boolean
}

function createCommand(deps: KandoDeps): Command {
  return new Command('create')
    .description('Start a command and print its process.')
    .argument('<command...>', 'the program and its arguments')
    .action(([name = '', ...args]: string[], _flags: object, command: Command) =>
      withClient(deps, command, async (client, show) => show(await client.create(name, args, deps.signal))),
    )
}

function getCommand(deps: KandoDeps): Command {
  return new Command('get')
    .description('Print a process and how it ended.')
    .argument('<pid>', 'its number')
    .action((pid: string, _flags: object, command: Command) =>
      withClient(deps, command, async (client, show) => show(await client.get(integer(pid, 'PID'), deps.signal))),
    )
}

function listCommand(deps: KandoDeps): Command {
  return new Command('list')
    .description('Print the processes that the server knows; of those that ended, the last 1,000.')
    .action((_flags: object, command: Command) =>
      withClient(deps, command, async (client, show) => {
        for await (const process of client.list(deps.signal)) show(process)
      }),
    )
}

function signalCommand(deps: KandoDeps): Command {
  return new Command('signal')
    .description('Send a signal to a process.')
    .argument('<pid>', 'its number')
    .argument('<signal>', 'the number of the signal: 15 asks to end, 9 ends')
    .action((pid: string, signal: string, _flags: object, command: Command) =>
      withClient(deps, command, async (client, show) =>
        show(await client.signal(integer(pid, 'PID'), integer(signal, 'SIGNAL'), deps.signal)),
      ),
    )
}

function outputCommand(deps: KandoDeps): Command {
  return withProxies(new Command('output'))
    .description('Print what a process printed and prints, on stdout and stderr, until its end.')
    .argument('<pid>', 'its number')
    .action((text: string, _flags: object, command: Command) =>
      withClient(deps, command, async (client, _show, flags) => {
        const pid = integer(text, 'PID')
        // Following has no end of its own: what knows no such process, or is no server, says so here.
        await client.get(pid, deps.signal)
        using _proxy = flags.signalProxy ? proxySignals(deps, client, pid) : undefined
        await followBoth(deps, client, pid)
      }),
    )
}

function executeCommand(deps: KandoDeps): Command {
  return withProxies(new Command('execute'))
    .description('Start a command, print its process, and what it prints until its end.')
    .argument('<command...>', 'the program and its arguments')
    .addHelpText(
      'after',
      `\nExit codes: 0, whatever the command's, unless --exit-proxy; ${grpcExitOffset} + the gRPC status if the server fails.`,
    )
    .action(([name = '', ...args]: string[], _flags: object, command: Command) =>
      withClient(deps, command, async (client, show, flags) => {
        try {
          const { pid } = show(await client.create(name, args, deps.signal))
          using _proxy = flags.signalProxy ? proxySignals(deps, client, pid) : undefined
          await followBoth(deps, client, pid)
          if (flags.exitProxy) endAs(await ended(deps, client, pid))
        } catch (error) {
          throw asExit(error)
        }
      }),
    )
}

function withProxies(command: Command): Command {
  return command
    .option('-p, --signal-proxy', 'hand SIGINT and SIGTERM on to the process')
    .option('-x, --exit-proxy', 'execute: end with the exit code of the process')
}

type Show = (process: ServedProcess) => ServedProcess

async function withClient(
  { processes, output }: KandoDeps,
  command: Command,
  work: (client: ProcessClient, show: Show, flags: Flags) => Promise<unknown>,
): Promise<void> {
  const flags = command.optsWithGlobals<Flags>()
  const show = (process: ServedProcess): ServedProcess => {
    if (!flags.quiet) output.out(flags.asJson ? renderProcessJson(process) : renderProcess(process))
    return process
  }
  using client = await processes.connect(flags.address)
  await work(client, show, flags)
}

/** A server of another maker may end the output a moment before it knows how the process ended. */
async function ended({ clock, signal }: KandoDeps, client: ProcessClient, pid: number): Promise<ServedProcess> {
  for (;;) {
    const process = await client.get(pid, signal)
    if (process.state !== 'PROCESS_STATE_RUNNING') return process
    await clock.sleep(100, signal)
  }
}

async function followBoth(deps: KandoDeps, client: ProcessClient, pid: number): Promise<void> {
  // One that fails ends the other.
  const failed = new AbortController()
  const signal = AbortSignal.any([deps.signal, failed.signal])
  const follow = (name: OutputName): Promise<void> =>
    copy(client.follow(pid, name, signal), deps.openOwnOutput(name)).catch((error: unknown) => {
      failed.abort(error)
      throw error
    })
  const ends = await Promise.allSettled([follow('stdout'), follow('stderr')])
  if (failed.signal.aborted) throw failed.signal.reason
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

async function copy(pieces: AsyncIterable<Uint8Array>, target: Pick<Target, 'write'>): Promise<void> {
  for await (const piece of pieces) await target.write(piece)
}

function proxySignals({ processes, output, signal }: KandoDeps, client: ProcessClient, pid: number): Disposable {
  return processes.takeSignals((number) => {
    client.signal(pid, number, signal).catch((error: unknown) => {
      output.err(`Error: signal ${number} did not reach process ${pid}: ${String(error)}\n`)
    })
  })
}

function endAs({ exitCode }: ServedProcess): void {
  // A process that a signal ended has -1, as in Kanister; of an exit code the lowest byte is left.
  if (exitCode !== 0) throw new KandoExit(exitCode & 0xff)
}

/** Only `execute` tells the gRPC status; all other failures end as those of every command. */
function asExit(error: unknown): unknown {
  const status = cliError.is(error, 'CLI_PROCESS_SERVER') ? error.details['grpcStatus'] : undefined
  return typeof status === 'number' ? new KandoExit(grpcExitOffset + status, { cause: error }) : error
}

function integer(text: string, name: string): number {
  if (!/^\d{1,15}$/.test(text)) throw cliError('CLI_USAGE', `${name} "${text}" is not a number`)
  return Number(text)
}
