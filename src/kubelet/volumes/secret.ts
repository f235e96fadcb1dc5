import { writePayload } from './atomic-writer.ts'
import { kubeletWritten, writeOptions } from './config-map.ts'
import { secretEntries } from './payload-sources.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/** Files from a Secret, in memory, kept current. */
export const secretVolume: VolumePlugin = {
  type: 'secret',
  isLive: true,
  async setUp(request) {
    const { secretName: name = '', items, optional, defaultMode = 0o644 } = request.volume.secret ?? {}
    const entries = await secretEntries(request, { name, items, optional, defaultMode })
    await writePayload(request.memoryDirectory, new Map(entries), writeOptions(request))
    return { hostPath: request.memoryDirectory, ...kubeletWritten }
  },
}
