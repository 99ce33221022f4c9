import { goJson } from '../../base/go-json.ts'
import type { NodeType } from './file-mode.ts'
import { goJsonBytes, isUtf8Text, quoteName } from './go-bytes.ts'
import { type Nanos, renderTime } from './go-time.ts'
import type { Id } from './ids.ts'

export interface ExtendedAttribute {
  readonly name: string
  readonly value: Uint8Array
}

/** One entry of a directory. Names and link targets are bytes: file systems promise no encoding. */
export interface TreeNode {
  readonly name: Buffer
  readonly type: NodeType
  /** Go's FileMode; see file-mode.ts. */
  readonly mode: number
  readonly mtime: Nanos
  readonly atime: Nanos
  readonly ctime: Nanos
  readonly uid: number
  readonly gid: number
  readonly user?: string | undefined
  readonly group?: string | undefined
  /** Nodes of one inode and device with `links` above 1 are one file under several names. */
  readonly inode?: bigint | undefined
  readonly deviceId?: bigint | undefined
  /** Bytes of a file. */
  readonly size?: number | undefined
  readonly links?: number | undefined
  readonly linkTarget?: Buffer | undefined
  readonly extendedAttributes?: readonly ExtendedAttribute[] | undefined
  /** Linux device number of dev and chardev. */
  readonly device?: bigint | undefined
  /** Data blobs of a file in order; null for everything else. */
  readonly content: readonly Id[] | null
  /** The tree of a dir. */
  readonly subtree?: Id | undefined
}

/**
 * A node as Go prints the same struct: this order of fields, zeros left out. Deviations pass `restic check` but make `restic rewrite`
 * refuse the tree, so nothing here may be "almost the same".
 */
export function renderNode(node: TreeNode): string {
  const { linkTarget } = node
  const fields: Array<readonly [string, string | undefined]> = [
    ['name', goJson(quoteName(node.name))],
    ['type', goJson(node.type)],
    ['mode', orOmit(node.mode)],
    ['mtime', `"${renderTime(node.mtime)}"`],
    ['atime', `"${renderTime(node.atime)}"`],
    ['ctime', `"${renderTime(node.ctime)}"`],
    ['uid', String(node.uid)],
    ['gid', String(node.gid)],
    ['user', node.user ? goJson(node.user) : undefined],
    ['group', node.group ? goJson(node.group) : undefined],
    ['inode', orOmit(node.inode)],
    ['device_id', orOmit(node.deviceId)],
    ['size', orOmit(node.size)],
    ['links', orOmit(node.links)],
    ['linktarget', linkTarget?.length ? goJsonBytes(linkTarget) : undefined],
    ['linktarget_raw', linkTarget && !isUtf8Text(linkTarget) ? `"${linkTarget.toString('base64')}"` : undefined],
    ['extended_attributes', renderAttributes(node.extendedAttributes)],
    ['device', orOmit(node.device)],
    ['content', node.content ? `[${node.content.map((id) => `"${id}"`).join(',')}]` : 'null'],
    ['subtree', node.subtree ? `"${node.subtree}"` : undefined],
  ]
  return `{${fields.flatMap(([name, value]) => (value === undefined ? [] : [`"${name}":${value}`])).join(',')}}`
}

function orOmit(value: number | bigint | undefined): string | undefined {
  return value ? value.toString() : undefined
}

function renderAttributes(attributes: readonly ExtendedAttribute[] | undefined): string | undefined {
  if (!attributes?.length) return undefined
  return goJson(attributes.map(({ name, value }) => ({ name, value: Buffer.from(value).toString('base64') })))
}
