import { writePayload } from './atomic-writer.ts'
import { configMapEntries } from './payload-sources.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/** Files from a ConfigMap, kept current. */
export const configMapVolume: VolumePlugin = {
  type: 'configMap',
  isLive: true,
  async setUp(request) {
    const { name = '', items, optional, defaultMode = 0o644 } = request.volume.configMap ?? {}
    const entries = await configMapEntries(request, { name, items, optional, defaultMode })
    await writePayload(request.directory, new Map(entries), writeOptions(request))
    return { hostPath: request.directory, ...kubeletWritten }
  },
}

/** What is true of every volume whose files the kubelet writes. */
export const kubeletWritten = { readOnly: true, isKubeletWritten: true, measuredAs: 'files' } as const

/** What `writePayload` needs to know of the pod. */
export function writeOptions({ pod, nowMs }: Parameters<VolumePlugin['setUp']>[0]): {
  nowMs: number
  fsGroup?: number
} {
  const fsGroup = pod.spec.securityContext?.fsGroup
  return { nowMs, ...(fsGroup !== undefined && { fsGroup }) }
}
