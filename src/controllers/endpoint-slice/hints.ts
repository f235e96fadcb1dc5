import type { Service } from '#api/types/core.v1.ts'
import type { Endpoint } from '#api/types/discovery.v1.ts'

type Hinted = Pick<Endpoint, 'conditions' | 'zone' | 'nodeName'>

/** The older annotation goes first. */
const modeAnnotations = ['service.kubernetes.io/topology-aware-hints', 'service.kubernetes.io/topology-mode']

/** Whether zones are to be served in proportion, which goes before the service's `trafficDistribution`. */
export function wantsZoneHints({ metadata }: Service): boolean {
  const mode = modeAnnotations.map((name) => metadata.annotations?.[name]).find((value) => value !== undefined)
  return mode === 'Auto' || mode === 'auto'
}

/**
 * Where clients should prefer the endpoint, as the service's `trafficDistribution` asks (KEP-4444, KEP-3015): in its own
 * zone, or on its own node first. Undefined: nowhere in particular.
 */
export function hintsFor(service: Service, { conditions, zone, nodeName }: Hinted): Endpoint['hints'] {
  const wish = wantsZoneHints(service) ? undefined : service.spec?.trafficDistribution
  if (wish === undefined || conditions?.ready === false) return undefined
  const forZones = zone === undefined || zone === '' ? {} : { forZones: [{ name: zone }] }
  const wantsNode = wish === 'PreferSameNode' && nodeName !== undefined && nodeName !== ''
  const hints = { ...forZones, ...(wantsNode && { forNodes: [{ name: nodeName }] }) }
  return Object.keys(hints).length === 0 ? undefined : hints
}
