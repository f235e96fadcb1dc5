import type { Service } from '#api/types/core.v1.ts'
import type { Endpoint } from '#api/types/discovery.v1.ts'

type Hinted = Pick<Endpoint, 'conditions' | 'zone' | 'nodeName'>

/**
 * Where clients should prefer the endpoint, as the service's `trafficDistribution` asks (KEP-4444, KEP-3015): in its own
 * zone, or on its own node first. Undefined: nowhere in particular.
 */
export function hintsFor({ spec }: Service, { conditions, zone, nodeName }: Hinted): Endpoint['hints'] {
  const wish = spec?.trafficDistribution
  if (wish === undefined || conditions?.ready === false) return undefined
  const forZones = zone === undefined || zone === '' ? {} : { forZones: [{ name: zone }] }
  const wantsNode = wish === 'PreferSameNode' && nodeName !== undefined && nodeName !== ''
  const hints = { ...forZones, ...(wantsNode && { forNodes: [{ name: nodeName }] }) }
  return Object.keys(hints).length === 0 ? undefined : hints
}
