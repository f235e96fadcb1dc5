import type { HorizontalPodAutoscalerBehavior, HPAScalingRules } from '../types/autoscaling.v2.ts'

/** Scaling behavior inside a v1 annotation: names begin with capitals, and what is absent is null. */

const fields = ['stabilizationWindowSeconds', 'selectPolicy', 'policies', 'tolerance'] as const

export function behaviorToAnnotation({ scaleUp, scaleDown }: HorizontalPodAutoscalerBehavior): string {
  return JSON.stringify({ ScaleUp: rulesToCapitals(scaleUp), ScaleDown: rulesToCapitals(scaleDown) })
}

function rulesToCapitals(rules: HPAScalingRules | undefined): object | null {
  if (!rules) return null
  const policies = rules.policies?.map(({ type, value, periodSeconds }) => ({
    Type: type,
    Value: value,
    PeriodSeconds: periodSeconds,
  }))
  const all = { ...rules, policies }
  return Object.fromEntries(fields.map((field) => [capitalized(field), all[field] ?? null]))
}

/** Undefined where there is none, or nothing that can be read. */
export function behaviorFromAnnotation(text: string | undefined): HorizontalPodAutoscalerBehavior | undefined {
  try {
    const { scaleUp, scaleDown } = lowered(JSON.parse(text ?? 'null')) as HorizontalPodAutoscalerBehavior
    return { ...(scaleUp && { scaleUp }), ...(scaleDown && { scaleDown }) }
  } catch {
    return undefined
  }
}

/** Names with small first letters, nulls left out. */
function lowered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowered)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([, member]) => member !== null)
  return Object.fromEntries(kept.map(([key, member]) => [key.charAt(0).toLowerCase() + key.slice(1), lowered(member)]))
}

function capitalized(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
