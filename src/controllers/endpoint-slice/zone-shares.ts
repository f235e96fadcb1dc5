import { isNodeReady } from '#api/core/v1/node-facts.ts'
import { quantityToNumber } from '#api/meta/quantity.ts'
import type { Node } from '#api/types/core.v1.ts'

export const zoneLabel = 'topology.kubernetes.io/zone'

const withoutWorkloads = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master']

/** Each zone's part of the processors that are ready for workloads. */
export type ZoneShares = ReadonlyMap<string, number>

/** The shares of the zones (KEP-2433); undefined where a node tells neither its zone nor its processors. */
export function zoneShares(nodes: readonly Node[]): ZoneShares | undefined {
  const cores = new Map<string, number>()
  let total = 0
  for (const node of nodes) {
    const part = partOf(node)
    if (part === undefined) continue
    if (part.zone === '' || part.cores === 0) return undefined
    cores.set(part.zone, (cores.get(part.zone) ?? 0) + part.cores)
    total += part.cores
  }
  return total === 0 ? undefined : new Map([...cores].map(([zone, amount]) => [zone, amount / total]))
}

/** What a node adds to its zone; undefined: no workload of others runs there now. */
function partOf(node: Node): { readonly zone: string; readonly cores: number } | undefined {
  const { labels = {} } = node.metadata
  if (!isNodeReady(node) || withoutWorkloads.some((label) => labels[label] !== undefined)) return undefined
  const { allocatable, capacity } = node.status ?? {}
  return { zone: labels[zoneLabel] ?? '', cores: quantityToNumber(allocatable?.['cpu'] ?? capacity?.['cpu'] ?? '0') }
}

/** Whether two states of a node add the same. */
export function addsTheSame(a: Node | undefined, b: Node | undefined): boolean {
  const [before, after] = [a, b].map((node) => node && partOf(node))
  return before?.zone === after?.zone && before?.cores === after?.cores
}
