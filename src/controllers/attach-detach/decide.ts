import type { Node, Pod } from '#api/types/core.v1.ts'
import type { VolumeAttachment } from '#api/types/storage.v1.ts'
import type { AttachableVolume } from './attachable-volumes.ts'

/** How long a node that is not well may keep a volume from being detached. */
export const longestUnmountMs = 6 * 60_000

export interface NodeView {
  readonly node: Node | undefined
  /** What the pods of the node want, by the name of the attachment. */
  readonly wanted: ReadonlyMap<string, AttachableVolume>
  /** What there is at the node, of those that this controller has made. */
  readonly attachments: readonly KnownAttachment[]
  /** Attachments of an exclusive volume at other nodes. */
  readonly elsewhere: (volume: AttachableVolume) => readonly VolumeAttachment[]
  /** Since when an attachment has been unwanted. */
  readonly unwantedSinceMs: (attachment: string) => number
  readonly isNodeReady: boolean
  readonly isOutOfService: boolean
  readonly nowMs: number
}

export interface KnownAttachment {
  readonly attachment: VolumeAttachment
  /** What the node's status calls the volume; unknown when the persistent volume is gone. */
  readonly uniqueName: string | undefined
}

export interface NodePlan {
  readonly attach: readonly AttachableVolume[]
  /** Volumes that cannot be attached because other nodes have them. */
  readonly blocked: readonly { readonly volume: AttachableVolume; readonly by: readonly VolumeAttachment[] }[]
  readonly detach: readonly VolumeAttachment[]
  /** What the node's status is to list, or nothing when it does. */
  readonly volumesAttached: readonly string[] | undefined
  /** When an unwanted attachment may be taken away by force. */
  readonly lookAgainAtMs: number | undefined
}

/** What is to be attached to a node and what detached from it. */
export function decideNode(view: NodeView): NodePlan {
  const { node, wanted, attachments, nowMs } = view
  const known = new Set(attachments.map(({ attachment }) => attachment.metadata.name))
  const missing = node === undefined ? [] : [...wanted.values()].filter(({ attachment }) => !known.has(attachment))
  const blocked = missing.flatMap((volume) => {
    const by = volume.isExclusive ? view.elsewhere(volume) : []
    return by.length === 0 ? [] : [{ volume, by }]
  })
  const isBlocked = new Set(blocked.map(({ volume }) => volume))
  const unwanted = attachments.filter(({ attachment }) => {
    return !wanted.has(attachment.metadata.name) && attachment.metadata.deletionTimestamp === undefined
  })
  const detach = unwanted.filter((each) => mayDetach(view, each)).map(({ attachment }) => attachment)
  const held = unwanted.filter(({ attachment }) => !detach.includes(attachment))
  const dueMs = held.map(({ attachment }) => view.unwantedSinceMs(attachment.metadata.name) + longestUnmountMs)
  const later = dueMs.filter((atMs) => atMs > nowMs)
  return {
    attach: missing.filter((volume) => !isBlocked.has(volume)),
    blocked,
    detach,
    volumesAttached: listToReport(view, held),
    lookAgainAtMs: later.length === 0 ? undefined : Math.min(...later),
  }
}

/** The node must have let go of the volume first, unless it cannot any more. */
function mayDetach(view: NodeView, { attachment, uniqueName }: KnownAttachment): boolean {
  const inUse = view.node?.status?.volumesInUse ?? []
  if (view.isOutOfService) return true
  if (view.node !== undefined && (uniqueName === undefined || !inUse.includes(uniqueName))) return true
  const isOverdue = view.nowMs - view.unwantedSinceMs(attachment.metadata.name) >= longestUnmountMs
  return isOverdue && !view.isNodeReady
}

/** A node may mount what its status lists: what is wanted and attached, and what it has not let go of. */
function listToReport({ node, wanted, attachments }: NodeView, held: readonly KnownAttachment[]): string[] | undefined {
  if (node === undefined) return undefined
  const ready = attachments.filter(({ attachment }) => {
    const { deletionTimestamp, name } = attachment.metadata
    return attachment.status?.attached === true && deletionTimestamp === undefined && wanted.has(name)
  })
  const kept = held.filter(({ attachment }) => attachment.status?.attached === true)
  const names = [...ready, ...kept].flatMap(({ uniqueName }) => (uniqueName === undefined ? [] : [uniqueName]))
  const before = (node.status?.volumesAttached ?? []).map(({ name }) => name)
  const after = [...new Set(names)].sort()
  return before.length === after.length && before.every((name) => after.includes(name)) ? undefined : after
}

/** What pods are told whose volume another node has. */
export function multiAttachMessage(volume: AttachableVolume, users: readonly Pod[]): string {
  const start = `Multi-Attach error for volume "${volume.name}" `
  if (users.length === 0)
    return `${start}Volume is already exclusively attached to one node and can't be attached to another`
  const namespaces = new Set(volume.pods.map(({ metadata }) => metadata.namespace))
  const near = users.filter(({ metadata }) => namespaces.has(metadata.namespace)).map(({ metadata }) => metadata.name)
  const far = users.length - near.length
  if (near.length === 0) return `${start}Volume is already used by ${far} pod(s) in different namespaces`
  const rest = far > 0 ? ` and ${far} pod(s) in different namespaces` : ''
  return `${start}Volume is already used by pod(s) ${near.join(', ')}${rest}`
}
