import type {
  Node,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodSpec,
} from '../../types/core.v1.ts'

type NodeIdentity = Pick<Node, 'metadata'>

/** What a pod insists on: every pair of `nodeSelector` and one term of the required node affinity. */
export function matchesRequiredNodeAffinity(
  spec: Pick<PodSpec, 'nodeSelector' | 'affinity'>,
  node: NodeIdentity,
): boolean {
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return matchesNodeLabels(spec.nodeSelector, node) && (required === undefined || matchesNodeSelector(required, node))
}

/** All pairs of the map are labels of the node. */
function matchesNodeLabels(wanted: PodSpec['nodeSelector'], node: NodeIdentity): boolean {
  const labels = node.metadata.labels
  for (const key in wanted) if (labels?.[key] !== wanted[key]) return false
  return true
}

/** Terms are alternatives; a selector without terms matches nothing. */
export function matchesNodeSelector(selector: NodeSelector, node: NodeIdentity): boolean {
  return (selector.nodeSelectorTerms ?? []).some((term) => matchesNodeSelectorTerm(term, node))
}

/** All requirements of a term must hold; a term without any matches nothing. */
export function matchesNodeSelectorTerm(term: NodeSelectorTerm, node: NodeIdentity): boolean {
  const expressions = term.matchExpressions ?? []
  const fields = term.matchFields ?? []
  if (expressions.length === 0 && fields.length === 0) return false
  return (
    expressions.every((requirement) => holds(requirement, node.metadata.labels?.[requirement.key])) &&
    fields.every((field) => holds(field, field.key === 'metadata.name' ? node.metadata.name : undefined))
  )
}

/** The sum of the weights of the preferred terms that the node matches; an empty term adds nothing. */
export function preferredNodeAffinityWeight(affinity: NodeAffinity | undefined, node: NodeIdentity): number {
  let weight = 0
  for (const { weight: own, preference } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
    if (matchesNodeSelectorTerm(preference, node)) weight += own
  }
  return weight
}

function holds({ operator, values = [] }: NodeSelectorRequirement, actual: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return actual !== undefined && values.includes(actual)
    case 'NotIn':
      return actual === undefined || !values.includes(actual)
    case 'Exists':
      return actual !== undefined
    case 'DoesNotExist':
      return actual === undefined
    case 'Gt':
    case 'Lt':
      return comparesAsInteger(operator, actual, values)
    default:
      return false
  }
}

function comparesAsInteger(operator: 'Gt' | 'Lt', actual: string | undefined, bounds: readonly string[]): boolean {
  const [bound] = bounds
  if (actual === undefined || bound === undefined || bounds.length > 1) return false
  if (!integer.test(actual) || !integer.test(bound)) return false
  return operator === 'Gt' ? BigInt(actual) > BigInt(bound) : BigInt(actual) < BigInt(bound)
}

const integer = /^[+-]?\d+$/
