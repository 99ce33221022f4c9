import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hasProgram } from '../harness/machine/command.ts'
import { type ProcessCost, measureProcess } from './measure-process.ts'

/** What Kopia took for the same inputs in a folder of its own, with zstd, which it leaves out unless told. */
export interface KopiaCosts {
  readonly backup: ProcessCost
  readonly incremental: ProcessCost
  readonly restore: ProcessCost
  readonly storedBytes: number
}

interface Snapshot {
  readonly rootEntry: { readonly obj: string }
}

/** Undefined where there is no Kopia on the PATH. Everything it makes lies in `folder`, which is removed. */
export async function measureKopia(
  folder: string,
  input: { readonly first: string; readonly second: string },
): Promise<KopiaCosts | undefined> {
  if (!(await hasProgram('kopia'))) return undefined
  const repository = join(folder, 'repository')
  const env = {
    HOME: folder,
    KOPIA_PASSWORD: 'bench',
    KOPIA_CONFIG_PATH: join(folder, 'config'),
    KOPIA_CACHE_DIRECTORY: join(folder, 'cache'),
    KOPIA_LOG_DIR: join(folder, 'log'),
    KOPIA_CHECK_FOR_UPDATES: 'false',
  }
  const kopia = (args: readonly string[], more: Parameters<typeof measureProcess>[2] = {}): Promise<ProcessCost> =>
    measureProcess('kopia', ['--no-progress', '--log-level=error', ...args], { env, ...more })
  const backup = (inputFile: string): Promise<ProcessCost> =>
    kopia(['snapshot', 'create', '--stdin-file=data', '--json', '/bench'], { inputFile })
  try {
    await kopia(['repository', 'create', 'filesystem', `--path=${repository}`])
    await kopia(['policy', 'set', '--global', '--compression=zstd'])
    const first = await backup(input.first)
    const second = await backup(input.second)
    const { rootEntry } = JSON.parse(second.stdout) as Snapshot
    const restore = await kopia(['show', `${rootEntry.obj}/data`], { discardOutput: true })
    return { backup: first, incremental: second, restore, storedBytes: bytesIn(repository) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function bytesIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(folder, name)))
  return files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0)
}
