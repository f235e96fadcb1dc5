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
  const given = nodes.flatMap(cidrsOf)
  const free = ranges.map((range) => freeBlocks(range, new Set(given.map((cidr) => range.indexOf(cidr)))))
  const isUsedUp = (): boolean => free.some((blocks) => blocks.length === 0)
  return waiting.toSorted(byAge).map((node) => {
    if (isUsedUp()) return { node, cidrs: undefined }
    return { node, cidrs: ranges.map((range, at) => range.block(free[at]?.pop() as number)) }
  })
}

export function cidrsOf({ spec }: Node): readonly string[] {
  if (spec?.podCIDRs !== undefined && spec.podCIDRs.length > 0) return spec.podCIDRs
  return spec?.podCIDR ? [spec.podCIDR] : []
}

/** The highest first, so that the lowest is taken from the end. */
function freeBlocks({ count }: CidrBlocks, used: ReadonlySet<number | undefined>): number[] {
  const free: number[] = []
  for (let index = count - 1; index >= 0; index--) if (!used.has(index)) free.push(index)
  return free
}

function byAge(a: Node, b: Node): number {
  const left = a.metadata.creationTimestamp + a.metadata.name
  const right = b.metadata.creationTimestamp + b.metadata.name
  return left < right ? -1 : 1
}
