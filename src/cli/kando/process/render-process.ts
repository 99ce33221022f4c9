import type { ServedProcess } from './processes.ts'

/** As Kanister prints it: a line of protobuf's text form, fields that are zero left out. */
export function renderProcess(process: ServedProcess): string {
  const fields = [
    `pid:${process.pid}`,
    `state:${process.state}`,
    ...(process.exitCode === 0 ? [] : [`exitCode:${process.exitCode}`]),
    ...(process.exitErr === '' ? [] : [`exitErr:${JSON.stringify(process.exitErr)}`]),
  ]
  return `Process:  ${fields.join(' ')}\n`
}

/** protobuf's JSON: 64-bit integers are strings, fields that are zero left out. */
export function renderProcessJson({ pid, state, exitCode, exitErr }: ServedProcess): string {
  const fields = {
    pid: String(pid),
    state,
    ...(exitCode === 0 ? {} : { exitCode: String(exitCode) }),
    ...(exitErr === '' ? {} : { exitErr }),
  }
  return `${JSON.stringify(fields)}\n`
}
