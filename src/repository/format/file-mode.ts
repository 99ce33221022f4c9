/** What a node is, in the words of the format. */
export type NodeType = 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket'

/** Go's FileMode bits: the type at the top, setuid and its like in the middle, 0777 at the bottom. All below 2^32, so no 32-bit signs. */
const typeBits: Readonly<Record<NodeType, number>> = {
  file: 0,
  dir: 2 ** 31,
  symlink: 2 ** 27,
  dev: 2 ** 26,
  // Go marks a character device as a device too.
  chardev: 2 ** 26 + 2 ** 21,
  fifo: 2 ** 25,
  socket: 2 ** 24,
}

const specialBits = [
  { unix: 0o4000, go: 2 ** 23 },
  { unix: 0o2000, go: 2 ** 22 },
  { unix: 0o1000, go: 2 ** 20 },
] as const

/** 04755 and `file` → Go's mode. */
export function goModeOf(type: NodeType, unixMode: number): number {
  let mode = typeBits[type] + (unixMode & 0o777)
  for (const { unix, go } of specialBits) if (unixMode & unix) mode += go
  return mode
}

/** The twelve bits of `chmod` in a Go mode. */
export function unixModeOf(goMode: number): number {
  let mode = goMode & 0o777
  for (const { unix, go } of specialBits) if (Math.floor(goMode / go) % 2 === 1) mode |= unix
  return mode
}
