import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { MetricFamily } from '#lib/metrics/metric.ts'
import type { KubeletSettings } from '../configuration/kubelet-settings.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import type { KubeletMetrics } from '../metrics/kubelet-metrics.ts'
import type { MachineFacts } from '../node/node-machine.ts'
import type { PodHost } from '../pod-worker/pod-host.ts'
import type { StatsCollector } from '../stats/stats-collector.ts'
import type { VolumeMeter } from '../stats/volume-meter.ts'
import type { PodWorkers } from '../pod-worker/pod-workers.ts'
import type { TokenReviewer } from './authentication.ts'
import type { KubeletAccess } from './kubelet-access.ts'
import type { ServingCertificate } from './serving-certificate.ts'

export interface KubeletServerOptions {
  /** 0: any free port. */
  readonly port: number
  /** Address to listen on; default all. */
  readonly address?: string
  /** Until it has one, the server refuses every handshake. */
  readonly serving: ServingCertificate
  /** PEM of the CA whose client certificates are believed. */
  readonly clientCa: string
  /** Whose bearer tokens they are; absent: nobody's. */
  readonly reviewToken?: TokenReviewer
  /** Asked about users that are neither the API server nor administrators; absent: they are refused. */
  readonly authorize?: (access: KubeletAccess) => Promise<boolean>
}

export interface KubeletServerContext extends KubeletServerOptions {
  readonly clock: Clock
  readonly log: Log
  readonly runtime: ContainerRuntime
  readonly workers: PodWorkers
  readonly nodeName: string
  readonly version: string
  readonly facts: MachineFacts
  readonly host: Pick<PodHost, 'diskUse' | 'usage'>
  readonly metrics: KubeletMetrics
  /** What others on the node count. */
  readonly readMore: () => readonly MetricFamily[]
  readonly stats: StatsCollector
  readonly volumeMeter: VolumeMeter
  readonly clusterDns: readonly string[]
  readonly clusterDomain: string
  readonly settings: KubeletSettings
  /** The kubelet's folder. */
  readonly rootDir: string
}
