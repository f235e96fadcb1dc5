import type { ServerResponse } from 'node:http'
import { quantityOf } from '#api/meta/quantity.ts'
import { formatDuration } from '#lib/go-duration.ts'
import { configurationFields, type FieldShape } from '../configuration/configuration-fields.ts'
import type { KubeletSettings } from '../configuration/kubelet-settings.ts'
import { writeJson } from './node-pages.ts'
import type { RouteCall } from './route.ts'
import type { KubeletServerContext } from './server-context.ts'

/** `GET /configz`: the settings in force, as a `KubeletConfiguration`. */
export function serveConfiguration(context: KubeletServerContext, _call: RouteCall, response: ServerResponse): void {
  const { port, clusterDns, clusterDomain, settings } = context
  const kubeletconfig = {
    ...written(settings.configuration, configurationFields),
    port,
    clusterDNS: clusterDns,
    clusterDomain,
    authentication: { anonymous: { enabled: false }, x509: {}, webhook: { enabled: false } },
    authorization: { mode: 'Webhook' },
    ...settled(settings),
  }
  writeJson(response, { kubeletconfig })
}

/** The fields that have a default, as they are in force. */
function settled({ heartbeat, images, pulls, eviction, logs, ...settings }: KubeletSettings): object {
  const hard = eviction.thresholds.filter(({ gracePeriodMs = 0 }) => gracePeriodMs === 0)
  const soft = eviction.thresholds.filter(({ gracePeriodMs = 0 }) => gracePeriodMs > 0)
  return {
    maxPods: settings.maximumPods,
    podsPerCore: settings.podsPerCpu,
    podPidsLimit: settings.podPidsLimit === 0 ? -1 : settings.podPidsLimit,
    nodeStatusUpdateFrequency: formatDuration(heartbeat.statusUpdateMs),
    nodeStatusReportFrequency: formatDuration(heartbeat.statusReportMs),
    nodeLeaseDurationSeconds: heartbeat.leaseSeconds,
    nodeStatusMaxImages: settings.reportedImages === Infinity ? -1 : settings.reportedImages,
    imageMinimumGCAge: formatDuration(images.minimumAgeMs),
    imageMaximumGCAge: formatDuration(images.maximumAgeMs),
    imageGCHighThresholdPercent: images.highPercent,
    imageGCLowThresholdPercent: images.lowPercent,
    serializeImagePulls: pulls.atOnce === 1,
    registryPullQPS: pulls.perSecond,
    registryBurst: pulls.burst,
    evictionHard: Object.fromEntries(hard.map(({ signal, value }) => [signal, value])),
    evictionSoft: Object.fromEntries(soft.map(({ signal, value }) => [signal, value])),
    evictionSoftGracePeriod: Object.fromEntries(
      soft.map(({ signal, gracePeriodMs = 0 }) => [signal, formatDuration(gracePeriodMs)]),
    ),
    evictionPressureTransitionPeriod: formatDuration(eviction.transitionPeriodMs),
    evictionMaxPodGracePeriod: eviction.maximumGraceSeconds,
    containerLogMaxSize: quantityOf(logs.maximumBytes),
    containerLogMaxFiles: logs.maximumFiles,
    containerLogMonitorInterval: formatDuration(logs.intervalMs),
    crashLoopBackOff: { maxContainerRestartPeriod: formatDuration(settings.restartDelays.maximumMs) },
    cpuCFSQuota: settings.cpuQuota.isEnforced,
    cpuCFSQuotaPeriod: formatDuration(settings.cpuQuota.periodMicroseconds / 1000),
    seccompDefault: settings.usesDefaultSeccomp,
    enableDebuggingHandlers: settings.hasDebuggingHandlers,
  }
}

/** What the file said, with durations as text again. */
function written(fields: object, shapes: Readonly<Record<string, FieldShape>>): object {
  const entries = Object.entries(fields).map(([name, value]: [string, unknown]) => {
    const shape = shapes[name]
    if (shape === 'duration') return [name, formatDuration(value as number)]
    return [name, typeof shape === 'object' && 'fields' in shape ? written(value as object, shape.fields) : value]
  })
  return Object.fromEntries(entries) as object
}
