import { attachmentName, uniqueVolumeName } from '#api/storage/v1/attachment-name.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Node } from '#api/types/core.v1.ts'
import { volumeAttachments } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import { VolumePending } from '../volumes/volume-errors.ts'
import { type CsiSource } from './csi-source.ts'

/**
 * What the attacher tells of the volume's attachment to the node. Throws `VolumePending` as long as the node's status
 * does not list the volume as attached.
 */
export async function publishContext(
  client: Client,
  node: Node | undefined,
  source: CsiSource,
): Promise<Readonly<Record<string, string>>> {
  const unique = uniqueVolumeName(source)
  if (node?.status?.volumesAttached?.some(({ name }) => name === unique) !== true)
    throw new VolumePending(`volume ${source.name} is not attached to the node yet`)
  const name = attachmentName(source, node.metadata.name)
  try {
    const { status } = await client.resource(volumeAttachments).get(name)
    if (status?.attached === true) return status.attachmentMetadata ?? {}
    const why = status?.attachError?.message
    throw new Error(why ?? `volume attachment ${name} is not attached`)
  } catch (error) {
    if (isStatusError(error, 'NotFound')) throw new Error(`volumeattachments.storage.k8s.io "${name}" not found`)
    throw error
  }
}
