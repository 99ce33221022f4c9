import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/**
 * `npm run bench`: every benchmark, one after the other, each beside its reference in the same run. The last line is one JSON
 * object with the figures of all of them; absolute times mean little on a shared machine, the ratios more.
 */
const benches = {
  actionsets: ['actionsets.ts', '--only', 'single,50'],
  stream: ['stream.ts', '--mib', '512'],
  push: ['push.ts', '--mib', '1024'],
  data: ['data.ts'],
} as const

const figures: Record<string, unknown> = {}
for (const [name, [file, ...args]] of Object.entries(benches)) {
  console.log(`\n== ${name}`)
  const { status, stdout } = spawnSync(process.execPath, [join(import.meta.dirname, file), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 << 20,
  })
  console.log(stdout.trimEnd())
  if (status === 0) figures[name] = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? 'null')
  else process.exitCode = 1
}
console.log(JSON.stringify(figures))
