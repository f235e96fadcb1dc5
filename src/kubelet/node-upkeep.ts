import type { Node } from '#api/types/core.v1.ts'
import type { KubeletSettings } from './configuration/kubelet-settings.ts'
import { EvictionManager } from './eviction/eviction-manager.ts'
import { ImageCollector } from './images/image-collector.ts'
import type { KubeletOptions } from './kubelet-options.ts'
import { rotateLogs } from './logs/log-rotation.ts'
import type { KubeletMetrics } from './metrics/kubelet-metrics.ts'
import type { PodWorkers } from './pod-worker/pod-workers.ts'

/** What keeps the node itself in order, beside its pods. */
export interface NodeUpkeep {
  readonly eviction: EvictionManager
  /** Resolves when the signal has aborted and nothing is under way any more. */
  run(signal: AbortSignal): Promise<void>
}

export interface NodeUpkeepInput {
  readonly workers: PodWorkers
  readonly metrics: KubeletMetrics
  readonly node: () => Node | undefined
  /** The node's conditions have changed. */
  readonly onChange: () => void
}

/** Rotation of logs, removal of unused images, and eviction. */
export function createUpkeep(
  options: KubeletOptions & { readonly settings: KubeletSettings },
  { workers, metrics, node, onChange }: NodeUpkeepInput,
): NodeUpkeep {
  const { effects, events, settings, keptImages = [] } = options
  const images = new ImageCollector({
    ...options,
    machine: effects.machine,
    keptImages,
    pods: () => workers.list().map(({ pod }) => pod),
    onFailure(message) {
      const own = node()
      if (own) events.record(own, 'Warning', 'FreeDiskSpaceFailed', message)
    },
    settings: settings.images,
  })
  const manager = new EvictionManager({
    ...options,
    machine: effects.machine,
    host: effects.host,
    pods: () => workers.list(),
    async reclaimDisk() {
      const own = node()
      if (own) events.record(own, 'Warning', 'EvictionThresholdMet', 'Attempting to reclaim ephemeral-storage')
      await workers.removeRemains()
      await images.collectAll()
    },
    onChange,
    onEvict: (cause) => metrics.evictions.add({ eviction_signal: cause }),
    settings: settings.eviction,
  })
  return {
    eviction: manager,
    async run(signal) {
      await Promise.all([
        rotateLogs({ ...options, workers, settings: settings.logs }, signal),
        images.run(signal),
        manager.run(signal),
      ])
    },
  }
}
