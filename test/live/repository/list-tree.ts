import { createHash } from 'node:crypto'
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'

export interface ListOptions {
  /** Times to the nanosecond, not to the second. */
  readonly exact: boolean
  /**
   * BusyBox sets no times of symbolic links, and makes links after everything else, which changes the time of the directories they are in: leaves
   * out both.
   */
  readonly withoutLinkTimes?: boolean
}

/** Everything a restore must bring back, one line an entry, sorted. Access and change times are not in it, nor what a tar cannot hold. */
export function listTree(root: Buffer, options: ListOptions): string[] {
  const inodes = new Map<bigint, string>()
  const lines: string[] = []
  const visit = (path: Buffer, name: string): void => {
    const stat = lstatSync(path, { bigint: true })
    const skipTime = options.withoutLinkTimes && (stat.isSymbolicLink() || (stat.isDirectory() && holdsLinks(path)))
    const mtime = skipTime ? '' : options.exact ? stat.mtimeNs : stat.mtimeNs / 1_000_000_000n
    const shared = stat.isFile() && stat.nlink > 1n ? `same as ${inodes.get(stat.ino) ?? 'none before'}` : ''
    if (!inodes.has(stat.ino)) inodes.set(stat.ino, name)
    const what = stat.isFile()
      ? createHash('sha256').update(readFileSync(path)).digest('hex')
      : stat.isSymbolicLink()
        ? readlinkSync(path, 'buffer').toString('hex')
        : ''
    lines.push([name, stat.mode.toString(8), stat.uid, stat.gid, mtime, stat.isFile() ? stat.size : '', what, shared].join(' '))
    if (!stat.isDirectory()) return
    const children = readdirSync(path, { encoding: 'buffer' }).toSorted((a, b) => Buffer.compare(a, b))
    for (const child of children) visit(Buffer.concat([path, Buffer.from('/'), child]), `${name}/${child.toString('latin1')}`)
  }
  visit(root, '.')
  return lines
}

function holdsLinks(folder: Buffer): boolean {
  const children = readdirSync(folder, { encoding: 'buffer' }).map((name) =>
    lstatSync(Buffer.concat([folder, Buffer.from('/'), name])),
  )
  return children.some((stat) => stat.isSymbolicLink() || (stat.isFile() && stat.nlink > 1))
}
