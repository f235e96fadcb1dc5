import type { Clock } from '#lib/clock.ts'
import type { KubeletMetrics } from './kubelet-metrics.ts'
import { volumePluginName } from './volume-plugin-name.ts'

/** Counts how long a volume of a type takes to be made ready, as `storage_operation_duration_seconds`. */
export async function timedVolume<Result>(
  type: string,
  work: () => Promise<Result>,
  { clock, metrics }: { readonly clock: Clock; readonly metrics: KubeletMetrics },
): Promise<Result> {
  const startedMs = clock.monotonic()
  const tell = (status: string): void => {
    const labels = { migrated: 'false', operation_name: 'volume_mount', status, volume_plugin: volumePluginName(type) }
    metrics.storageSeconds.observe((clock.monotonic() - startedMs) / 1000, labels)
  }
  try {
    const result = await work()
    tell('success')
    return result
  } catch (error) {
    tell('fail-unknown')
    throw error
  }
}
