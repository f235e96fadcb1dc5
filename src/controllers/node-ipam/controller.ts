import { isStatusError } from '#api/meta/status.ts'
import type { Node } from '#api/types/core.v1.ts'
import { nodes } from '#api/types/resources.ts'
import { defineController, watchOf, type Controller, type ControllerContext } from '#reconcile/controller.ts'
import { cidrBlocks, type CidrBlocks } from './cidr-blocks.ts'
import { cidrsOf, decideAssignments } from './decide.ts'

export interface NodeIpamOptions {
  /** The cluster's pod ranges: one, or one of each family. They must not overlap with the service ranges. */
  readonly clusterCidrs: readonly string[]
  /** Bits of a node's block of an IPv4 range; default 24. */
  readonly nodeMaskSizeIPv4?: number
  /** Bits of a node's block of an IPv6 range; default 64. */
  readonly nodeMaskSizeIPv6?: number
}

/**
 * Gives each node its blocks of pod addresses. All nodes are one piece of work: two nodes must never be given a block
 * at the same time.
 */
export function nodeIpamController(options: NodeIpamOptions): Controller {
  const { clusterCidrs, nodeMaskSizeIPv4 = 24, nodeMaskSizeIPv6 = 64 } = options
  const ranges = clusterCidrs.map((cidr) => cidrBlocks(cidr, cidr.includes(':') ? nodeMaskSizeIPv6 : nodeMaskSizeIPv4))
  // A node goes without for as long as it stays as it is: told once is enough.
  const told = new WeakSet<Node>()
  return defineController({
    name: 'node-ipam-controller',
    serviceAccount: 'node-controller',
    eventSource: 'cidrAllocator',
    watches: [
      watchOf(nodes, (node, { informers }, previous) =>
        isSettled(node, informers.of(nodes).get(node.metadata.name)) || isAlike(node, previous) ? [] : ['nodes'],
      ),
    ],
    writes: [{ resource: nodes, verbs: ['patch'] }],
    reconcile: (_key, context) => assign(ranges, told, context),
  })
}

/** A node that has its block and is still there changes nothing; one that went may have freed the block others wait for. */
function isSettled(node: Parameters<typeof cidrsOf>[0], known: unknown): boolean {
  return known !== undefined && cidrsOf(node).length > 0
}

/** Beats of a node that waits for a block bring none. */
function isAlike(node: Node, previous: Node | undefined): boolean {
  return previous?.metadata.uid === node.metadata.uid && cidrsOf(previous).join() === cidrsOf(node).join()
}

async function assign(
  ranges: readonly CidrBlocks[],
  told: WeakSet<Node>,
  { informers, client, events }: ControllerContext,
): Promise<void> {
  for (const { node, cidrs } of decideAssignments(informers.of(nodes).list(), ranges)) {
    const { name, uid } = node.metadata
    if (cidrs === undefined) {
      if (!told.has(node)) {
        events.record(node, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`)
      }
      told.add(node)
      continue
    }
    const patch = { metadata: { uid }, spec: { podCIDR: cidrs[0], podCIDRs: cidrs } }
    await client
      .resource(nodes)
      .patch(name, { type: 'strategic', patch })
      .catch((error: unknown) => {
        if (!isStatusError(error, 'NotFound')) throw error
      })
  }
}
