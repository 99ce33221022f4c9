import { checkNode } from './node-version.ts'

/**
 * The one executable: `holdfast run` (operator and worker in one process, the default), `holdfast operator`, `holdfast worker`,
 * `holdfast kando …`, and the command line (`holdfast --help`). Each is loaded when it is asked for.
 */
checkNode(process.versions.node)
const [command = 'run', ...rest] = process.argv.slice(2)

switch (command) {
  case 'run':
    await (await import('./run.ts')).main({ operator: true, worker: true })
    break
  case 'operator':
    await (await import('./run.ts')).main({ operator: true, worker: false })
    break
  case 'worker':
    await (await import('./run.ts')).main({ operator: false, worker: true })
    break
  case 'kando':
    await (await import('./kando.ts')).main(rest)
    break
  default:
    await (await import('./cli.ts')).main([command, ...rest])
}
