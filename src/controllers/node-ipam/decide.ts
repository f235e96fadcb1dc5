import type { Node } from '#api/types/core.v1.ts'
import type { CidrBlocks } from './cidr-blocks.ts'

export interface Assignment {
  readonly node: Node
  /** One block per range, in the ranges' order; undefined: a range is used up. */
  readonly cidrs: readonly string[] | undefined
}

/** Gives every node without pod addresses the lowest free block of each range. */
export function decideAssignments(nodes: readonly Node[], ranges: readonly CidrBlocks[]): readonly Assignment[] {
  const waiting = nodes.filter((node) => cidrsOf(node).length === 0 && node.metadata.deletionTimestamp === undefined)
  if (waiting.length === 0) return []
  const used = ranges.map((range) => new Set(nodes.flatMap(cidrsOf).map((cidr) => range.indexOf(cidr))))
  return waiting.toSorted(byAge).map((node) => {
    const indexes = ranges.map((range, at) => lowestFree(range, used[at] as Set<number | undefined>))
    if (indexes.includes(undefined)) return { node, cidrs: undefined }
    const cidrs = ranges.map((range, at) => {
      const index = indexes[at] as number
      used[at]?.add(index)
      return range.block(index)
    })
    return { node, cidrs }
  })
}

export function cidrsOf({ spec }: Node): readonly string[] {
  if (spec?.podCIDRs !== undefined && spec.podCIDRs.length > 0) return spec.podCIDRs
  return spec?.podCIDR ? [spec.podCIDR] : []
}

function lowestFree(range: CidrBlocks, used: ReadonlySet<number | undefined>): number | undefined {
  for (let index = 0; index < range.count; index++) if (!used.has(index)) return index
  return undefined
}

function byAge(a: Node, b: Node): number {
  const left = a.metadata.creationTimestamp + a.metadata.name
  const right = b.metadata.creationTimestamp + b.metadata.name
  return left < right ? -1 : 1
}
