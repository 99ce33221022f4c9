import type { WalkedNode } from '../../../repository/walk-tree.ts'
import { timeText } from './snapshot-flags.ts'

/** A node for programs. `path` is as good as UTF-8 can say it; `pathBytes` has the bytes in base64 where that loses some. */
export function nodeJson({ path, node }: WalkedNode): Readonly<Record<string, unknown>> {
  const text = path.toString()
  return {
    path: text,
    ...(Buffer.from(text).equals(path) ? {} : { pathBytes: path.toString('base64') }),
    type: node.type,
    mode: (node.mode & 0o777).toString(8).padStart(4, '0'),
    uid: node.uid,
    gid: node.gid,
    size: node.size ?? 0,
    mtime: timeText(node.mtime),
    ...(node.linkTarget && { linkTarget: node.linkTarget.toString() }),
  }
}

const letters = { file: '-', dir: 'd', symlink: 'l', dev: 'b', chardev: 'c', fifo: 'p', socket: 's' } as const

/** As `ls -l`: type, mode, owner, size, time, path. */
export function longLine({ path, node }: WalkedNode): string {
  const mode = `${letters[node.type]}${rights(node.mode)}`
  const size = String(node.size ?? 0).padStart(12)
  const link = node.linkTarget ? ` -> ${node.linkTarget.toString()}` : ''
  return `${mode}  ${String(node.uid).padStart(5)} ${String(node.gid).padStart(5)} ${size}  ${timeText(node.mtime).slice(0, 19)}  ${printable(path)}${link}`
}

/** A name may hold anything, also what moves a terminal's cursor. */
export function printable(path: Buffer): string {
  return path.toString().replaceAll(/\p{Cc}/gu, (char) => `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`)
}

function rights(mode: number): string {
  return [6, 3, 0]
    .map((at) => 'rwx'.replaceAll(/./g, (letter, place: number) => ((mode >> (at + 2 - place)) & 1 ? letter : '-')))
    .join('')
}
