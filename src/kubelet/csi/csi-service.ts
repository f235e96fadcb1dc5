import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { KubeletMetrics } from '../metrics/kubelet-metrics.ts'
import type { PodHost } from '../pod-worker/pod-host.ts'
import type { PluginHandler } from '../plugins/plugin-registry.ts'
import { CsiDrivers } from './csi-drivers.ts'
import { CsiVolumes } from './csi-volumes.ts'

export interface CsiServiceOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  readonly events: EventRecorder
  readonly nodeName: string
  readonly metrics: KubeletMetrics
  /** The kubelet's folder. */
  readonly rootDir: string
  /** The list of volumes in use has changed. */
  readonly onUse: () => void
  /** Something has come that volumes may have waited for. */
  readonly onArrival: () => void
}

/** Volumes of CSI drivers on this node. */
export interface CsiService {
  readonly volumes: CsiVolumes
  /** Takes the drivers in that register. */
  readonly plugins: PluginHandler
  /** The same host, which lets go of a pod's volumes before it cleans up after the pod. */
  guard(host: PodHost): PodHost
  /** To be called once the node is registered. */
  start(): Promise<void>
  stop(): void
}

const announceRetryMs = 5_000

export async function createCsiService(options: CsiServiceOptions): Promise<CsiService> {
  const { clock, log, rootDir, onArrival } = options
  await mkdir(join(rootDir, 'plugins'), { recursive: true, mode: 0o750 })
  const drivers = new CsiDrivers({
    ...options,
    onArrival() {
      onArrival()
      volumes.sweep().catch((error: unknown) => log.warn('volumes not swept', { error }))
    },
  })
  const volumes = new CsiVolumes({ ...options, drivers })
  await volumes.recover()
  let isStopped = false
  const announce = async (): Promise<void> => {
    await drivers.announce().catch((error: unknown) => {
      if (isStopped) return
      log.warn('CSINode not written', { error })
      clock.schedule(announceRetryMs, () => void announce())
    })
  }
  return {
    volumes,
    plugins: drivers,
    guard: (host) => ({
      ...host,
      async cleanUp(pod, how) {
        await volumes.tearDownPod(pod.uid)
        await host.cleanUp(pod, how)
      },
    }),
    start: announce,
    stop() {
      isStopped = true
      drivers.stop()
    },
  }
}
