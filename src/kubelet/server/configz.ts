import type { ServerResponse } from 'node:http'
import { defaultThresholds } from '../eviction/thresholds.ts'
import { maximumPods } from '../node/node-resources.ts'
import { writeJson } from './node-pages.ts'
import type { RouteCall } from './route.ts'
import type { KubeletServerContext } from './server-context.ts'

/** `GET /configz`: the settings in force, as a `KubeletConfiguration`. */
export function serveConfiguration(
  { port, clusterDns, clusterDomain, eviction = {}, imageCollection = {} }: KubeletServerContext,
  _call: RouteCall,
  response: ServerResponse,
): void {
  const thresholds = eviction.thresholds ?? defaultThresholds
  const hard = thresholds.filter(({ gracePeriodMs = 0 }) => gracePeriodMs === 0)
  const soft = thresholds.filter(({ gracePeriodMs = 0 }) => gracePeriodMs > 0)
  const kubeletconfig = {
    port,
    clusterDNS: clusterDns,
    clusterDomain,
    maxPods: maximumPods,
    serializeImagePulls: false,
    authentication: { anonymous: { enabled: false }, x509: {}, webhook: { enabled: false } },
    authorization: { mode: 'Webhook' },
    nodeLeaseDurationSeconds: 40,
    imageMinimumGCAge: duration(imageCollection.minimumAgeMs ?? 120_000),
    imageGCHighThresholdPercent: imageCollection.highPercent ?? 85,
    imageGCLowThresholdPercent: imageCollection.lowPercent ?? 80,
    evictionHard: Object.fromEntries(hard.map(({ signal, value }) => [signal, value])),
    evictionSoft: Object.fromEntries(soft.map(({ signal, value }) => [signal, value])),
    evictionSoftGracePeriod: Object.fromEntries(
      soft.map(({ signal, gracePeriodMs = 0 }) => [signal, duration(gracePeriodMs)]),
    ),
    evictionPressureTransitionPeriod: duration(eviction.transitionPeriodMs ?? 300_000),
    containerLogMaxSize: '10Mi',
    containerLogMaxFiles: 5,
  }
  writeJson(response, { kubeletconfig })
}

function duration(milliseconds: number): string {
  return `${milliseconds / 1000}s`
}
