import type { HorizontalPodAutoscaler, HPAScalingPolicy, HPAScalingRules } from '#api/types/autoscaling.v2.ts'
import type { ScalingMemory } from './scaling-memory.ts'

/** A condition before its times are known. */
export interface Finding {
  readonly type: 'AbleToScale' | 'ScalingLimited'
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

export interface LimitedChange {
  readonly replicas: number
  readonly findings: readonly Finding[]
}

export interface ChangeInput {
  readonly autoscaler: HorizontalPodAutoscaler
  readonly currentReplicas: number
  readonly wantedReplicas: number
  readonly memory: ScalingMemory
  readonly nowMs: number
}

/** Downwards the highest recommendation of the last five minutes counts, where the autoscaler says nothing else. */
const defaultStabilizationMs = 300_000

/** What is made of the wish: held against recent ones, and kept within the rates and the range. */
export function limitChange(input: ChangeInput): LimitedChange {
  const steady = stabilize(input)
  const limited =
    input.autoscaler.spec.behavior === undefined
      ? limitPlainly(input, steady.replicas)
      : limitByRules(input, steady.replicas)
  return { replicas: limited.replicas, findings: [...steady.findings, ...limited.findings] }
}

function stabilize({ autoscaler, currentReplicas, wantedReplicas, memory, nowMs }: ChangeInput): LimitedChange {
  const { behavior } = autoscaler.spec
  const upMs = (behavior?.scaleUp?.stabilizationWindowSeconds ?? 0) * 1_000
  const downSeconds = behavior?.scaleDown?.stabilizationWindowSeconds
  const downMs = downSeconds === undefined ? defaultStabilizationMs : downSeconds * 1_000
  const lowest = Math.min(wantedReplicas, ...memory.recommendedSince(nowMs - upMs))
  const highest = Math.max(wantedReplicas, ...memory.recommendedSince(nowMs - downMs))
  memory.recommend(wantedReplicas, nowMs)
  const replicas = Math.min(Math.max(currentReplicas, lowest), highest)
  return { replicas, findings: [steadiness(replicas, wantedReplicas)] }
}

function steadiness(replicas: number, wanted: number): Finding {
  const finding = (reason: string, message: string): Finding => ({
    type: 'AbleToScale',
    status: 'True',
    reason,
    message,
  })
  if (replicas > wanted) {
    const message = 'recent recommendations were higher than current one, applying the highest recent recommendation'
    return finding('ScaleDownStabilized', message)
  }
  if (replicas < wanted) {
    const message = 'recent recommendations were lower than current one, applying the lowest recent recommendation'
    return finding('ScaleUpStabilized', message)
  }
  return finding('ReadyForNewScale', 'recommended size matches current size')
}

const limits = {
  TooFewReplicas: 'the desired replica count is less than the minimum replica count',
  TooManyReplicas: 'the desired replica count is more than the maximum replica count',
  ScaleUpLimit: 'the desired replica count is increasing faster than the maximum scale rate',
  ScaleDownLimit: 'the desired replica count is decreasing faster than the maximum scale rate',
} as const

function limitedBy(replicas: number, reason: keyof typeof limits): LimitedChange {
  return { replicas, findings: [{ type: 'ScalingLimited', status: 'True', reason, message: limits[reason] }] }
}

function unlimited(replicas: number): LimitedChange {
  const message = 'the desired count is within the acceptable range'
  return { replicas, findings: [{ type: 'ScalingLimited', status: 'False', reason: 'DesiredWithinRange', message }] }
}

/** Without rules the number of replicas at most doubles in one go. */
function limitPlainly({ autoscaler, currentReplicas }: ChangeInput, replicas: number): LimitedChange {
  const { minReplicas = 1, maxReplicas } = autoscaler.spec
  const fastest = Math.max(currentReplicas * 2, 4)
  if (replicas < minReplicas) return limitedBy(minReplicas, 'TooFewReplicas')
  if (replicas > Math.min(maxReplicas, fastest)) {
    return maxReplicas > fastest ? limitedBy(fastest, 'ScaleUpLimit') : limitedBy(maxReplicas, 'TooManyReplicas')
  }
  return unlimited(replicas)
}

function limitByRules(input: ChangeInput, replicas: number): LimitedChange {
  const { currentReplicas, autoscaler } = input
  const { minReplicas = 1, maxReplicas, behavior } = autoscaler.spec
  if (replicas > currentReplicas) {
    const fastest = Math.max(currentReplicas, highestByRules(input, behavior?.scaleUp))
    if (replicas > Math.min(maxReplicas, fastest)) {
      return maxReplicas > fastest ? limitedBy(fastest, 'ScaleUpLimit') : limitedBy(maxReplicas, 'TooManyReplicas')
    }
  } else if (replicas < currentReplicas) {
    const fastest = Math.min(currentReplicas, lowestByRules(input, behavior?.scaleDown))
    if (replicas < Math.max(minReplicas, fastest)) {
      return minReplicas < fastest ? limitedBy(fastest, 'ScaleDownLimit') : limitedBy(minReplicas, 'TooFewReplicas')
    }
  }
  return unlimited(replicas)
}

/** Each policy counts from what there was when its period began. */
function startOfPeriod({ currentReplicas, memory, nowMs }: ChangeInput, { periodSeconds }: HPAScalingPolicy): number {
  return currentReplicas - memory.changeSince(nowMs - periodSeconds * 1_000)
}

function highestByRules(input: ChangeInput, rules: HPAScalingRules = {}): number {
  if (rules.selectPolicy === 'Disabled') return input.currentReplicas
  const proposals = (rules.policies ?? []).map((policy) => {
    const start = startOfPeriod(input, policy)
    return policy.type === 'Pods' ? start + policy.value : Math.ceil(start * (1 + policy.value / 100))
  })
  return rules.selectPolicy === 'Min' ? Math.min(...proposals) : Math.max(...proposals)
}

function lowestByRules(input: ChangeInput, rules: HPAScalingRules = {}): number {
  if (rules.selectPolicy === 'Disabled') return input.currentReplicas
  const proposals = (rules.policies ?? []).map((policy) => {
    const start = startOfPeriod(input, policy)
    return policy.type === 'Pods' ? start - policy.value : Math.floor(start * (1 - policy.value / 100))
  })
  return rules.selectPolicy === 'Min' ? Math.max(...proposals) : Math.min(...proposals)
}
