import { writePayload } from './atomic-writer.ts'
import { kubeletWritten, writeOptions } from './config-map.ts'
import { downwardEntries } from './payload-sources.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/** Files from the pod's own fields, kept current. */
export const downwardApiVolume: VolumePlugin = {
  type: 'downwardAPI',
  isLive: true,
  async setUp(request) {
    const { items, defaultMode = 0o644 } = request.volume.downwardAPI ?? {}
    const entries = downwardEntries(request, items, defaultMode)
    await writePayload(request.memoryDirectory, new Map(entries), writeOptions(request))
    return { hostPath: request.memoryDirectory, ...kubeletWritten }
  },
}
