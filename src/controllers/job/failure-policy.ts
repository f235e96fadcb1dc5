import type { Job, PodFailurePolicyRule } from '#api/types/batch.v1.ts'
import type { ContainerStatus, Pod } from '#api/types/core.v1.ts'

interface Match {
  readonly rule: PodFailurePolicyRule
  /** The sentence for the job's condition. */
  readonly message: string
}

/** The first rule of the job's failure policy that the failed pod matches (API reference, PodFailurePolicy). */
function matchFailure(job: Job, pod: Pod): Match | undefined {
  if (pod.status?.phase !== 'Failed') return undefined
  for (const [index, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const suffix = `matching ${rule.action} rule at index ${index}`
    const { name, namespace } = pod.metadata
    const container = matchingContainer(rule, pod)
    if (container !== undefined) {
      const code = container.state?.terminated?.exitCode
      return {
        rule,
        message: `Container ${container.name} for pod ${namespace}/${name} failed with exit code ${code} ${suffix}`,
      }
    }
    const condition = matchingCondition(rule, pod)
    if (condition !== undefined)
      return { rule, message: `Pod ${namespace}/${name} has condition ${condition} ${suffix}` }
  }
  return undefined
}

function matchingContainer({ onExitCodes }: PodFailurePolicyRule, { status }: Pod): ContainerStatus | undefined {
  if (onExitCodes === undefined) return undefined
  const { containerName, operator, values } = onExitCodes
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  return containers.find(({ name, state }) => {
    const code = state?.terminated?.exitCode
    if (code === undefined || code === 0 || (containerName !== undefined && containerName !== name)) return false
    return values.includes(code) === (operator === 'In')
  })
}

function matchingCondition({ onPodConditions }: PodFailurePolicyRule, { status }: Pod): string | undefined {
  const found = onPodConditions?.find((pattern) =>
    status?.conditions?.some(({ type, status }) => type === pattern.type && status === (pattern.status ?? 'True')),
  )
  return found?.type
}

/** What the policy does about the failed pod; undefined: no rule is about it. */
export function failurePolicyAction(job: Job, pod: Pod): string | undefined {
  return matchFailure(job, pod)?.rule.action
}

export function isIgnoredFailure(job: Job, pod: Pod): boolean {
  return failurePolicyAction(job, pod) === 'Ignore'
}

/** Whether the failed pod's index is not to be tried again. */
export function failsIndex(job: Job, pod: Pod): boolean {
  return failurePolicyAction(job, pod) === 'FailIndex'
}

/** Why one of the pods makes the whole job fail, or undefined. */
export function fatalFailure(job: Job, pods: readonly Pod[]): string | undefined {
  for (const pod of pods) {
    const match = matchFailure(job, pod)
    if (match?.rule.action === 'FailJob') return match.message
  }
  return undefined
}
