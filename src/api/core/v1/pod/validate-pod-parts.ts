import { deepEqual } from '../../../meta/deep-equal.ts'
import { forbiddenField, invalidValue } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { Container, Pod, ResourceRequirements } from '../../../types/core.v1.ts'
import { computePodQosClass } from '../pod-qos.ts'
import { validatePodSpec } from './validate-pod-spec.ts'

/** A PUT or PATCH of `/ephemeralcontainers`: containers are only added. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  const path = 'spec.ephemeralContainers'
  const errors = validatePodSpec(pod.spec, 'spec')
  const now = new Map((pod.spec.ephemeralContainers ?? []).map((container) => [container.name, container]))
  for (const before of old.spec.ephemeralContainers ?? []) {
    const after = now.get(before.name)
    if (after === undefined) {
      errors.push(forbiddenField(path, `existing ephemeral containers "${before.name}" may not be removed\n`))
    } else if (!deepEqual(after, before)) {
      errors.push(forbiddenField(path, `existing ephemeral containers "${before.name}" may not be changed\n`))
    }
  }
  return errors
}

/** A PUT or PATCH of `/resize`: CPU and memory change, and the quality of service stays (KEP-1287). */
export function validatePodResize(pod: Pod, old: Pod): FieldError[] {
  const errors = validatePodSpec(pod.spec, 'spec')
  const settled = computePodQosClass(old.spec)
  if (computePodQosClass(pod.spec) !== settled) {
    errors.push(
      invalidValue('spec', computePodQosClass(pod.spec), 'Pod QOS Class may not change as a result of resizing'),
    )
  }
  const changed = [
    ...pairs(pod.spec.containers, old.spec.containers),
    ...pairs(pod.spec.initContainers, old.spec.initContainers),
  ]
  if (changed.some(([now, before]) => !deepEqual(fixedResources(now), fixedResources(before)))) {
    errors.push(forbiddenField('spec', 'only cpu and memory resources are mutable'))
  }
  return errors
}

type Pair = readonly [ResourceRequirements | undefined, ResourceRequirements | undefined]

function pairs(now: readonly Container[] | undefined, old: readonly Container[] | undefined): readonly Pair[] {
  return (old ?? []).map((before) => {
    const after = now?.find(({ name }) => name === before.name)
    return [after?.resources, before.resources] as const
  })
}

function fixedResources(resources: ResourceRequirements | undefined): unknown {
  const without = (list: ResourceRequirements['limits']): object =>
    Object.fromEntries(Object.entries(list ?? {}).filter(([name]) => name !== 'cpu' && name !== 'memory'))
  return { limits: without(resources?.limits), requests: without(resources?.requests), claims: resources?.claims }
}
