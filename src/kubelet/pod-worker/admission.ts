import { matchesRequiredNodeAffinity } from '#api/core/v1/node-affinity.ts'
import { hostPortsCollide, isPodTerminal, podHostPorts } from '#api/core/v1/pod-facts.ts'
import { podRequests } from '#api/core/v1/pod-resources.ts'
import { resourceAmounts } from '#api/core/v1/resource-amounts.ts'
import { findUntoleratedTaint } from '#api/core/v1/node-facts.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import type { GrantSource } from '../devices/grant-source.ts'
import { AdmissionError } from '../topology/admission-error.ts'

export interface Refusal {
  readonly reason: string
  readonly message: string
}

/**
 * Whether the node can take the pod, as a last check of what the scheduler did (or nobody did, for pods that name their
 * node). `others` are the pods that the node has already.
 */
export function refusalOf(pod: Pod, node: Node, others: readonly Pod[]): Refusal | undefined {
  if (!matchesRequiredNodeAffinity(pod.spec, node)) {
    return {
      reason: 'NodeAffinity',
      message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    }
  }
  if (hasTakenPort(pod, others)) {
    return {
      reason: 'NodePorts',
      message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    }
  }
  const taint = findUntoleratedTaint(node.spec.taints, pod.spec.tolerations, ['NoExecute'])
  if (taint)
    return {
      reason: 'TaintToleration',
      message: 'Predicate TaintToleration failed: node(s) had taints that the pod did not tolerate',
    }
  return groupsRefusal(pod, node) ?? resourceRefusal(pod, node, others)
}

function hasTakenPort(pod: Pod, others: readonly Pod[]): boolean {
  const wanted = podHostPorts(pod)
  if (wanted.length === 0) return false
  const taken = others.filter((other) => other.metadata.uid !== pod.metadata.uid && !isPodTerminal(other))
  return taken.some((other) => podHostPorts(other).some((used) => wanted.some((port) => hostPortsCollide(port, used))))
}

/** Sets aside what the pod gets of the node for itself, or says why it cannot have it. */
export async function grantRefusal(pod: Pod, grants: GrantSource | undefined): Promise<Refusal | undefined> {
  try {
    await grants?.reserve(pod)
    return undefined
  } catch (error) {
    if (error instanceof AdmissionError) return { reason: error.reason, message: error.message }
    throw error
  }
}

/** A runtime that gives the groups of the image all the same must not run who relies on not having them (KEP-3619). */
function groupsRefusal({ spec }: Pod, { status }: Node): Refusal | undefined {
  const isStrict = spec.securityContext?.supplementalGroupsPolicy === 'Strict'
  if (!isStrict || status?.features?.supplementalGroupsPolicy === true) return undefined
  const reason = 'SupplementalGroupsPolicyNotSupported'
  return { reason, message: 'SupplementalGroupsPolicy=Strict is not supported in this node' }
}

function resourceRefusal(pod: Pod, node: Node, others: readonly Pod[]): Refusal | undefined {
  const allocatable = resourceAmounts(node.status?.allocatable)
  const active = others.filter((other) => other.metadata.uid !== pod.metadata.uid && !isPodTerminal(other))
  if (allocatable['pods'] !== undefined && active.length + 1 > allocatable['pods']) {
    return outOf('pods', { requested: 1, used: active.length, capacity: allocatable['pods'] })
  }
  const byDevices = new Set(pod.status?.extendedResourceClaimStatus?.requestMappings?.map((each) => each.resourceName))
  for (const [name, requested] of Object.entries(podRequests(pod))) {
    // The scheduler has found devices for what the node itself does not have.
    if (requested === 0 || (byDevices.has(name) && (allocatable[name] ?? 0) === 0)) continue
    const capacity = allocatable[name] ?? 0
    const used = active.reduce((sum, other) => sum + (podRequests(other, { withStatus: true })[name] ?? 0), 0)
    if (used + requested > capacity) return outOf(name, { requested, used, capacity })
  }
  return undefined
}

function outOf(
  resource: string,
  { requested, used, capacity }: { requested: number; used: number; capacity: number },
): Refusal {
  const message = `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`
  return { reason: `OutOf${resource}`, message: `Pod was rejected: ${message}` }
}
