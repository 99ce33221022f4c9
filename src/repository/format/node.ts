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
  const mtime = renderTime(node.mtime)
  // One text that grows: of a list of fields half of the time went to the collector.
  let text = `{"name":${goJson(quoteName(node.name))},"type":"${node.type}"`
  if (node.mode) text += `,"mode":${node.mode}`
  text += `,"mtime":"${mtime}","atime":"${node.atime === node.mtime ? mtime : renderTime(node.atime)}"`
  text += `,"ctime":"${node.ctime === node.mtime ? mtime : renderTime(node.ctime)}","uid":${node.uid},"gid":${node.gid}`
  if (node.user) text += `,"user":${goJson(node.user)}`
  if (node.group) text += `,"group":${goJson(node.group)}`
  if (node.inode) text += `,"inode":${node.inode}`
  if (node.deviceId) text += `,"device_id":${node.deviceId}`
  if (node.size) text += `,"size":${node.size}`
  if (node.links) text += `,"links":${node.links}`
  if (linkTarget?.length) text += `,"linktarget":${goJsonBytes(linkTarget)}`
  if (linkTarget && !isUtf8Text(linkTarget)) text += `,"linktarget_raw":"${linkTarget.toString('base64')}"`
  if (node.extendedAttributes?.length) text += `,"extended_attributes":${renderAttributes(node.extendedAttributes)}`
  if (node.device) text += `,"device":${node.device}`
  text += `,"content":${renderContent(node.content)}`
  return node.subtree ? `${text},"subtree":"${node.subtree}"}` : `${text}}`
}

function renderContent(content: readonly Id[] | null): string {
  if (!content) return 'null'
  return content.length === 0 ? '[]' : `["${content.join('","')}"]`
}

function renderAttributes(attributes: readonly ExtendedAttribute[]): string {
  return goJson(attributes.map(({ name, value }) => ({ name, value: Buffer.from(value).toString('base64') })))
}
