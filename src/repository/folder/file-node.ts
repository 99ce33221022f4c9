import type { BigIntStats } from 'node:fs'
import { type NodeType, goModeOf } from '../format/file-mode.ts'
import type { TreeNode } from '../format/node.ts'

/** What the file system says about an entry, as a node keeps it; content, subtree and link target come later. */
export function nodeOf(name: Buffer, stat: BigIntStats): TreeNode {
  const type = typeOf(stat)
  // One shape for all: spreading what only some have costs more than all the rest.
  return {
    name,
    type,
    mode: goModeOf(type, Number(stat.mode & 0o7777n)),
    mtime: stat.mtimeNs,
    // restic keeps no access times unless told to: each reading would change every tree.
    atime: stat.mtimeNs,
    ctime: stat.ctimeNs,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    inode: stat.ino,
    deviceId: stat.dev,
    content: null,
    size: type === 'file' ? Number(stat.size) : undefined,
    links: type === 'dir' ? undefined : Number(stat.nlink),
    device: type === 'dev' || type === 'chardev' ? stat.rdev : undefined,
    linkTarget: undefined,
    subtree: undefined,
  }
}

function typeOf(stat: BigIntStats): NodeType {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'dir'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isBlockDevice()) return 'dev'
  if (stat.isCharacterDevice()) return 'chardev'
  return stat.isFIFO() ? 'fifo' : 'socket'
}
