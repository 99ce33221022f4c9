import { repositoryError } from '../errors.ts'
import type { NodeType } from './file-mode.ts'
import { unquoteName } from './go-bytes.ts'
import { parseTime } from './go-time.ts'
import { type Id, isId } from './ids.ts'
import { type TreeNode, renderNode } from './node.ts'

/** A tree blob from nodes in any order; two of one name are a defect of the caller. */
export function renderTree(nodes: readonly TreeNode[]): Buffer {
  return Buffer.from(joinTree(nodes.map((node) => ({ name: node.name, json: renderNode(node) }))).buffer)
}

const encoder = new TextEncoder()

/** A tree blob from nodes that are text already, in memory of its own. The format wants them ascending by the bytes of their names. */
export function joinTree(nodes: ReadonlyArray<{ readonly name: Buffer; readonly json: string }>): Uint8Array<ArrayBuffer> {
  const sorted = nodes.toSorted((a, b) => Buffer.compare(a.name, b.name))
  return encoder.encode(`{"nodes":[${sorted.map((node) => node.json).join(',')}]}\n`)
}

/** Reads a tree of any writer. Names that would leave their directory are refused: they reach file systems. */
export function parseTree(json: Uint8Array, what: string): TreeNode[] {
  // Inodes use 64 bits and would be rounded as numbers; a bare quote cannot stand inside a JSON text, so this meets fields only.
  const text = Buffer.from(json.buffer, json.byteOffset, json.length).toString()
  const safe = text.replace(/"(inode|device_id|device)":(\d{16,})/g, '"$1":"$2"')
  const nodes = readNodes(safe, what)
  return nodes.map((node) => parseNode(node, what))
}

interface NodeJson {
  readonly name?: unknown
  readonly type?: unknown
  readonly mode?: number
  readonly mtime?: string
  readonly atime?: string
  readonly ctime?: string
  readonly uid?: number
  readonly gid?: number
  readonly user?: string
  readonly group?: string
  readonly inode?: number | string
  readonly device_id?: number | string
  readonly size?: number
  readonly links?: number
  readonly linktarget?: string
  readonly linktarget_raw?: string
  readonly extended_attributes?: ReadonlyArray<{ readonly name: string; readonly value: string | null }> | null
  readonly device?: number | string
  readonly content?: readonly string[] | null
  readonly subtree?: string | null
}

function readNodes(text: string, what: string): readonly NodeJson[] {
  try {
    // Checked node by node in parseNode.
    const value = JSON.parse(text) as { readonly nodes?: readonly NodeJson[] | null } | null
    const nodes = value?.nodes ?? []
    if (Array.isArray(nodes)) return nodes
  } catch {
    // Reported below with the name of the tree.
  }
  throw repositoryError('REPOSITORY_DAMAGED', `${what}: not the JSON of a tree`)
}

const types: readonly string[] = ['file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket'] satisfies NodeType[]

function parseNode(node: NodeJson, what: string): TreeNode {
  const name = typeof node.name === 'string' ? unquoteName(node.name) : undefined
  if (!name || !isPlainName(name))
    throw repositoryError('REPOSITORY_DAMAGED', `${what}: ${JSON.stringify(node.name)} cannot be the name of a file`)
  if (typeof node.type !== 'string' || !types.includes(node.type)) {
    throw repositoryError(
      'REPOSITORY_UNSUPPORTED',
      `${what}: ${JSON.stringify(node.name)} is of unknown type ${JSON.stringify(node.type)}`,
    )
  }
  const content = node.content ?? (node.type === 'file' ? [] : null)
  if ((content && !content.every(isId)) || (node.subtree && !isId(node.subtree))) {
    throw repositoryError('REPOSITORY_DAMAGED', `${what}: ${JSON.stringify(node.name)} names a blob that is no id`)
  }
  return {
    name,
    // In the list above.
    type: node.type as NodeType,
    mode: node.mode ?? 0,
    mtime: parseTime(node.mtime ?? '') ?? 0n,
    atime: parseTime(node.atime ?? '') ?? 0n,
    ctime: parseTime(node.ctime ?? '') ?? 0n,
    uid: node.uid ?? 0,
    gid: node.gid ?? 0,
    content,
    ...(node.user ? { user: node.user } : {}),
    ...(node.group ? { group: node.group } : {}),
    ...(node.inode ? { inode: BigInt(node.inode) } : {}),
    ...(node.device_id ? { deviceId: BigInt(node.device_id) } : {}),
    ...(node.size ? { size: node.size } : {}),
    ...(node.links ? { links: node.links } : {}),
    ...(node.device ? { device: BigInt(node.device) } : {}),
    ...(node.type === 'symlink' ? { linkTarget: linkTargetOf(node) } : {}),
    ...(node.extended_attributes?.length ? { extendedAttributes: attributesOf(node.extended_attributes) } : {}),
    ...(node.subtree ? { subtree: node.subtree as Id } : {}),
  }
}

function isPlainName(name: Buffer): boolean {
  const text = name.toString('latin1')
  return text !== '' && text !== '.' && text !== '..' && !text.includes('/') && !text.includes('\0')
}

function linkTargetOf(node: NodeJson): Buffer {
  return node.linktarget_raw ? Buffer.from(node.linktarget_raw, 'base64') : Buffer.from(node.linktarget ?? '')
}

function attributesOf(list: NonNullable<NodeJson['extended_attributes']>): TreeNode['extendedAttributes'] {
  return list.map(({ name, value }) => ({ name, value: Buffer.from(value ?? '', 'base64') }))
}
