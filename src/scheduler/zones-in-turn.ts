import type { NodeInfo } from './node-info.ts'

/** Puts nodes in an order in which their zones take turns. Within a zone the order stays. */
export function zonesInTurn(nodes: readonly NodeInfo[]): readonly NodeInfo[] {
  const zones = Map.groupBy(nodes, zoneOf)
  if (zones.size <= 1) return nodes
  const mixed: NodeInfo[] = []
  for (let turn = 0; mixed.length < nodes.length; turn++) {
    for (const zone of zones.values()) if (turn < zone.length) mixed.push(zone[turn] as NodeInfo)
  }
  return mixed
}

function zoneOf({ node: { metadata } }: NodeInfo): string {
  return `${metadata.labels?.['topology.kubernetes.io/region']}/${metadata.labels?.['topology.kubernetes.io/zone']}`
}
