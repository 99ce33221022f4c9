import { pino, stdTimeFunctions } from 'pino'
import type { LogFields, Logger } from './logger.ts'

/** Logs to a file descriptor (2: stderr) as Kanister does: `time` in RFC 3339, `level` as a word, `msg`. */
export function jsonLogger(options: { readonly level: string; readonly fd: number; readonly fields?: LogFields }): Logger {
  const root = pino(
    {
      level: options.level,
      base: options.fields ?? null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: options.fd, sync: true }),
  )
  return wrap(root)
}

interface PinoLike {
  error(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  debug(fields: LogFields, message: string): void
  child(fields: LogFields): PinoLike
}

function wrap(logger: PinoLike): Logger {
  return {
    error: (fields, message) => logger.error(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    info: (fields, message) => logger.info(fields, message),
    debug: (fields, message) => logger.debug(fields, message),
    child: (fields) => wrap(logger.child(fields)),
  }
}
