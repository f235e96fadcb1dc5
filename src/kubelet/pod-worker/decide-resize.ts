import { podRequests } from '#api/core/v1/pod-resources.ts'
import { resourceAmounts, type ResourceAmounts } from '#api/core/v1/resource-amounts.ts'
import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import type { Container, Pod, ResourceRequirements } from '#api/types/core.v1.ts'

export interface ResizeSituation {
  readonly pod: Pod
  /** By name of the containers that run: what they were given. */
  readonly applied: ReadonlyMap<string, ResourceRequirements>
  /** What the pod as a whole was given, where it asks for something as a whole. */
  readonly appliedToPod?: ResourceRequirements
  readonly allocatable: ResourceAmounts
  /** The other pods of the node. */
  readonly others: readonly Pod[]
}

export type ResizePlan =
  | { readonly type: 'none' }
  /** The node cannot give it: never, or not now. */
  | { readonly type: 'pending'; readonly reason: 'Infeasible' | 'Deferred'; readonly message: string }
  | { readonly type: 'apply'; readonly changes: readonly ResizeChange[]; readonly isPodLevel: boolean }

export interface ResizeChange {
  readonly container: Container
  /** A changed resource's policy wants the container to start over. */
  readonly needsRestart: boolean
}

const resizable = ['cpu', 'memory'] as const

/** What to do about containers that ask for other resources than they were given (KEP-1287). */
export function decideResize({ pod, applied, appliedToPod, allocatable, others }: ResizeSituation): ResizePlan {
  const candidates = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
  const changes = candidates.flatMap((container) => {
    const given = applied.get(container.name)
    if (given === undefined) return []
    const changed = resizable.filter((name) => differs(given, container.resources ?? {}, name))
    if (changed.length === 0) return []
    const policies = (container.resizePolicy ?? []).filter(({ resourceName }) =>
      changed.some((name) => name === resourceName),
    )
    return [{ container, needsRestart: policies.some(({ restartPolicy }) => restartPolicy === 'RestartContainer') }]
  })
  const whole = pod.spec.resources
  const isPodLevel = whole !== undefined && resizable.some((name) => differs(appliedToPod ?? {}, whole, name))
  if (changes.length === 0 && !isPodLevel) return { type: 'none' }
  return refusal(pod, allocatable, others) ?? { type: 'apply', changes, isPodLevel }
}

function differs(given: ResourceRequirements, wanted: ResourceRequirements, name: 'cpu' | 'memory'): boolean {
  return (['requests', 'limits'] as const).some(
    (list) => resourceAmounts(given[list])[name] !== resourceAmounts(wanted[list])[name],
  )
}

function refusal(pod: Pod, allocatable: ResourceAmounts, others: readonly Pod[]): ResizePlan | undefined {
  const active = others.filter((other) => other.metadata.uid !== pod.metadata.uid && !isPodTerminal(other))
  for (const name of resizable) {
    const requested = podRequests(pod)[name] ?? 0
    const capacity = allocatable[name] ?? 0
    if (requested > capacity) {
      const message = `Node didn't have enough capacity: ${name}, requested: ${requested}, capacity: ${capacity}`
      return { type: 'pending', reason: 'Infeasible', message }
    }
    const used = active.reduce((sum, other) => sum + (podRequests(other, { withStatus: true })[name] ?? 0), 0)
    if (requested + used > capacity) {
      const message = `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`
      return { type: 'pending', reason: 'Deferred', message }
    }
  }
  return undefined
}
