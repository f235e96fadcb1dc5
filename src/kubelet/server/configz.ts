import type { ServerResponse } from 'node:http'
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
    ...thresholds(settings),
  }
  writeJson(response, { kubeletconfig })
}

/** As they are in force: the file may leave all or some to the defaults. */
function thresholds({ eviction }: KubeletSettings): object {
  const hard = eviction.thresholds.filter(({ gracePeriodMs = 0 }) => gracePeriodMs === 0)
  const soft = eviction.thresholds.filter(({ gracePeriodMs = 0 }) => gracePeriodMs > 0)
  return {
    evictionHard: Object.fromEntries(hard.map(({ signal, value }) => [signal, value])),
    evictionSoft: Object.fromEntries(soft.map(({ signal, value }) => [signal, value])),
    evictionSoftGracePeriod: Object.fromEntries(
      soft.map(({ signal, gracePeriodMs = 0 }) => [signal, formatDuration(gracePeriodMs)]),
    ),
  }
}

/** What the file said, with durations as text again. */
function written(fields: object, shapes: Readonly<Record<string, FieldShape>>): object {
  const entries = Object.entries(fields).map(([name, value]: [string, unknown]) => {
    const shape = shapes[name]
    if (shape === 'duration' || shape === 'timeOrNanoseconds') return [name, formatDuration(value as number)]
    return [name, typeof shape === 'object' && 'fields' in shape ? written(value as object, shape.fields) : value]
  })
  return Object.fromEntries(entries) as object
}
