import { isIP } from 'node:net'
import type { Node } from '#api/types/core.v1.ts'

/** The way to the pods of another node: `podCidr` by its address `via`. */
export interface NodeRoute {
  readonly nodeName: string
  readonly podCidr: string
  readonly via: string
}

/** The routes that a node needs to reach the pods of all others, by destination. Nodes without both parts are left out. */
export function nodeRoutes(nodes: readonly Node[], ownName: string): readonly NodeRoute[] {
  const routes = nodes
    .filter((node) => node.metadata.name !== ownName)
    .flatMap((node) => podCidrs(node).flatMap((podCidr) => routeTo(node, podCidr)))
  return routes.toSorted((a, b) => (a.podCidr < b.podCidr ? -1 : 1))
}

function podCidrs({ spec }: Node): readonly string[] {
  if (spec?.podCIDRs !== undefined && spec.podCIDRs.length > 0) return spec.podCIDRs
  return spec?.podCIDR ? [spec.podCIDR] : []
}

/** By the node's address of the same family. */
function routeTo(node: Node, podCidr: string): NodeRoute[] {
  const family = isIP(podCidr.split('/')[0] ?? '')
  const addresses = (node.status?.addresses ?? []).filter(({ type }) => type === 'InternalIP')
  const via = addresses.map(({ address }) => address).find((address) => isIP(address) === family)
  if (family === 0 || via === undefined) return []
  return [{ nodeName: node.metadata.name, podCidr, via }]
}
