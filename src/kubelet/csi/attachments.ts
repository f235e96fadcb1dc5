import { isStatusError } from '#api/meta/status.ts'
import { attachmentName, uniqueVolumeName } from '#api/storage/v1/attachment-name.ts'
import type { Node } from '#api/types/core.v1.ts'
import { volumeAttachments } from '#api/types/resources.ts'
import type { VolumeAttachment } from '#api/types/storage.v1.ts'
import type { Client } from '#client/client.ts'
import { VolumePending } from '../volumes/volume-errors.ts'
import type { CsiSource } from './csi-source.ts'

/** gRPC's `ResourceExhausted`, by which a driver says that the node takes no more volumes. */
const resourceExhausted = 8

export interface AttachmentRequest {
  readonly client: Client
  readonly node: Node | undefined
  readonly source: CsiSource
  /** The driver cannot attach more: its limit is not what the API was told. */
  readonly onExhausted: () => void
}

/**
 * What the attacher tells of the volume's attachment to the node. Throws `VolumePending` as long as the node's status
 * does not list the volume as attached.
 */
export async function publishContext(request: AttachmentRequest): Promise<Readonly<Record<string, string>>> {
  const { node, source } = request
  const unique = uniqueVolumeName(source)
  const isListed = node?.status?.volumesAttached?.some(({ name }) => name === unique) === true
  const attachment = node && (await attachmentOf(request, node))
  if (!isListed) {
    if (attachment?.status?.attachError?.errorCode === resourceExhausted) request.onExhausted()
    throw new VolumePending(`volume ${source.name} is not attached to the node yet`)
  }
  const name = attachmentName(source, node.metadata.name)
  if (attachment === undefined) throw new Error(`volumeattachments.storage.k8s.io "${name}" not found`)
  const { attached, attachmentMetadata = {}, attachError } = attachment.status ?? {}
  if (attached === true) return attachmentMetadata
  throw new Error(attachError?.message ?? `volume attachment ${name} is not attached`)
}

async function attachmentOf(
  { client, source }: AttachmentRequest,
  { metadata }: Node,
): Promise<VolumeAttachment | undefined> {
  try {
    return await client.resource(volumeAttachments).get(attachmentName(source, metadata.name))
  } catch (error) {
    // The authorizer does not even tell a node that there is none.
    if (isStatusError(error, 'NotFound', 'Forbidden')) return undefined
    throw error
  }
}
