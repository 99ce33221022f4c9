/**
 * One line of JSON each. The message is a fixed sentence, data goes in fields; loggers are handed down already carrying theirs.
 * `error` for what stops, `warn` for what heals, `info` for changes of state, `debug` for the rest.
 */
export interface Logger {
  error(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  debug(fields: LogFields, message: string): void
  child(fields: LogFields): Logger
}

/** Names as Kanister's users filter them (`ActionSet`, `Phase`, `LogKind`), and ours. */
export interface LogFields {
  readonly ActionSet?: string
  readonly Action?: string
  readonly Phase?: string
  readonly Pod?: string
  readonly Container?: string
  /** `datapath` on lines that carry a task's output. */
  readonly LogKind?: 'datapath'
  /** One line of a task's output. */
  readonly Out?: string
  readonly namespace?: string
  readonly attempt?: number
  readonly worker?: string
  readonly error?: string
  readonly code?: string
  readonly [other: string]: unknown
}

/** Swallows everything: for tests and for commands that talk on their own. */
export const silentLogger: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  child: () => silentLogger,
}
