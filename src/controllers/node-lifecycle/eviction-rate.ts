import { isNodeReady, nodeCondition } from '#api/core/v1/node-facts.ts'
import type { Node } from '#api/types/core.v1.ts'

/** Nodes from which a zone counts as large, for the slower rate of a partly failed zone. */
const largeZone = 50
/** Share of failed nodes from which a zone counts as partly failed. */
const unhealthyShare = 0.55
/** Between evictions of two nodes of a zone: 0.1 and 0.01 a second. */
const normalIntervalMs = 10_000
const slowIntervalMs = 100_000

/**
 * How far apart evictions of nodes in a zone must be; undefined: none at all. When every node of the cluster has
 * failed, it is rather the network here that has, and driving pods out would only make it worse.
 */
export function evictionIntervalMs(zone: string, nodes: readonly Node[]): number | undefined {
  const known = nodes.filter((node) => nodeCondition(node, 'Ready') !== undefined)
  if (!known.some(isNodeReady)) return undefined
  const inZone = known.filter((node) => zoneOf(node) === zone)
  const failed = inZone.filter((node) => !isNodeReady(node)).length
  const isPartlyFailed = failed > 2 && failed < inZone.length && failed / inZone.length >= unhealthyShare
  if (!isPartlyFailed) return normalIntervalMs
  return inZone.length > largeZone ? slowIntervalMs : undefined
}

/** Region and zone; all nodes without labels are one zone. */
export function zoneOf({ metadata }: Node): string {
  const { 'topology.kubernetes.io/region': region = '', 'topology.kubernetes.io/zone': zone = '' } =
    metadata.labels ?? {}
  return `${region}:${zone}`
}
