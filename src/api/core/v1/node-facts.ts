import type { Node, NodeAddress, NodeCondition, Taint, Toleration } from '../../types/core.v1.ts'

export function nodeCondition(node: Node, type: string): NodeCondition | undefined {
  return node.status?.conditions?.find((condition) => condition.type === type)
}

/** The `Ready` condition is true. */
export function isNodeReady(node: Node): boolean {
  return nodeCondition(node, 'Ready')?.status === 'True'
}

/** The node's first address of a type, `InternalIP` unless told. */
export function nodeAddress(node: Node, type: NodeAddress['type'] = 'InternalIP'): string | undefined {
  return node.status?.addresses?.find((address) => address.type === type)?.address
}

/** Roles from the labels `node-role.kubernetes.io/<role>` and `kubernetes.io/role`, sorted. */
export function nodeRoles(node: Node): readonly string[] {
  const roles = new Set<string>()
  for (const [label, value] of Object.entries(node.metadata.labels ?? {})) {
    if (label.startsWith(rolePrefix) && label.length > rolePrefix.length) roles.add(label.slice(rolePrefix.length))
    else if (label === 'kubernetes.io/role' && value !== '') roles.add(value)
  }
  return [...roles].sort()
}

/** Whether the toleration covers the taint (API reference, Toleration; `Gt` and `Lt` by KEP-5471). */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && (toleration.effect as string) !== '' && toleration.effect !== taint.effect) {
    return false
  }
  if (toleration.key !== undefined && toleration.key !== '' && toleration.key !== taint.key) return false
  switch (toleration.operator) {
    case 'Exists':
      return true
    case 'Gt':
    case 'Lt':
      return toleratesByNumber(toleration.operator, taint.value ?? '', toleration.value ?? '')
    default:
      return (toleration.value ?? '') === (taint.value ?? '')
  }
}

/** The first taint of one of the effects that no toleration covers. */
export function findUntoleratedTaint(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly Taint['effect'][] = ['NoSchedule', 'NoExecute'],
): Taint | undefined {
  return taints?.find(
    (taint) => effects.includes(taint.effect) && !tolerations?.some((toleration) => tolerates(toleration, taint)),
  )
}

/** `key=value:Effect`, as events and `kubectl` write a taint. */
export function formatTaint({ key, value, effect }: Taint): string {
  const named = value === undefined || value === '' ? key : `${key}=${value}`
  return (effect as string) === '' ? named : `${named}:${effect}`
}

const rolePrefix = 'node-role.kubernetes.io/'
const integer = /^-?(0|[1-9]\d*)$/

function toleratesByNumber(operator: 'Gt' | 'Lt', taintValue: string, wanted: string): boolean {
  if (!integer.test(taintValue) || !integer.test(wanted)) return false
  return operator === 'Gt' ? BigInt(taintValue) > BigInt(wanted) : BigInt(taintValue) < BigInt(wanted)
}
