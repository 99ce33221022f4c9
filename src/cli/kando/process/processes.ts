/** What `kando process` touches of the process it runs in. */
export interface Processes {
  /** Serves at the unix socket until the signal; then ends what it started, and removes socket and kept output. */
  serve(address: string, options: ServeOptions): Promise<void>
  /** Connects with the first call. */
  connect(address: string): Promise<ProcessClient>
  /** Until it is disposed of, SIGINT and SIGTERM (by number) go to `take` instead of ending this process. */
  takeSignals(take: (signal: number) => void): Disposable
}

export interface ServeOptions {
  /** An event of the server, or a piece of output, for whoever asked for that much to be said. */
  readonly log: (message: string, fields: Readonly<Record<string, string | number>>) => void
  readonly signal: AbortSignal
}

export const processStates = [
  'PROCESS_STATE_UNSPECIFIED',
  'PROCESS_STATE_RUNNING',
  'PROCESS_STATE_SUCCEEDED',
  'PROCESS_STATE_FAILED',
] as const

export interface ServedProcess {
  readonly pid: number
  readonly state: (typeof processStates)[number]
  /** -1 when a signal ended it, 0 while it runs. */
  readonly exitCode: number
  /** As Go writes it: `exit status 3`, `signal: killed`; empty while it runs and when it ended well. */
  readonly exitErr: string
}

export type OutputName = 'stdout' | 'stderr'

/** Every call fails with CLI_PROCESS_SERVER, which has the number of the gRPC status in its details as `grpcStatus`. */
export interface ProcessClient extends Disposable {
  create(name: string, args: readonly string[], signal: AbortSignal): Promise<ServedProcess>
  get(pid: number, signal: AbortSignal): Promise<ServedProcess>
  list(signal: AbortSignal): AsyncIterable<ServedProcess>
  signal(pid: number, number: number, signal: AbortSignal): Promise<ServedProcess>
  /** All that it printed from its start on, as it comes, until it has ended. */
  follow(pid: number, name: OutputName, signal: AbortSignal): AsyncIterable<Uint8Array>
}
