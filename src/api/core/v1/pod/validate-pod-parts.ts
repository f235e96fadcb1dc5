import { deepEqual } from '../../../meta/deep-equal.ts'
import { forbiddenField, invalidValue } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import { unifiedDiff } from '../../../meta/unified-diff.ts'
import type { Container, Pod, ResourceRequirements } from '../../../types/core.v1.ts'
import { coreForm } from '../internal-types.ts'
import { isSidecar } from '../pod-facts.ts'
import { computePodQosClass } from '../pod-qos.ts'
import { mirrorAnnotation } from './pod-annotations.ts'
import { validatePod } from './validate-pod.ts'
import { validateAnnotationUpdate } from './validate-pod-update.ts'

function isStatic({ metadata }: Pod): boolean {
  return metadata.annotations?.[mirrorAnnotation] !== undefined
}

/** A PUT or PATCH of `/ephemeralcontainers`: containers are only added. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  if (isStatic(old)) return [forbiddenField('[]', 'static pods do not support ephemeral containers')]
  const path = 'spec.ephemeralContainers'
  const errors = [...validatePod(pod), ...validateAnnotationUpdate(pod, old)]
  const now = new Map((pod.spec.ephemeralContainers ?? []).map((container) => [container.name, container]))
  for (const before of old.spec.ephemeralContainers ?? []) {
    const after = now.get(before.name)
    const subject = `existing ephemeral containers ${JSON.stringify(before.name)}`
    if (after === undefined) errors.push(forbiddenField(path, `${subject} may not be removed\n`))
    else if (!deepEqual(after, before)) {
      const [left, right] = [before, after].map((container) => coreForm.text('EphemeralContainer', container))
      errors.push(forbiddenField(path, `${subject} may not be changed\n${unifiedDiff(left ?? '', right ?? '')}`))
    }
  }
  return errors
}

/** A PUT or PATCH of `/resize`: CPU and memory change, and the quality of service stays (KEP-1287). */
export function validatePodResize(pod: Pod, old: Pod): FieldError[] {
  if (isStatic(old)) return [forbiddenField('[]', 'static pods cannot be resized')]
  if (old.spec.os?.name === 'windows') return [forbiddenField('[]', 'windows pods cannot be resized')]
  const errors = validatePod(pod)
  const settled = old.status?.qosClass ?? computePodQosClass(old.spec)
  if (computePodQosClass(pod.spec) !== settled) {
    errors.push(invalidValue('spec', settled, 'Pod QOS Class may not change as a result of resizing'))
  }
  if (!isResizeSupported(old)) errors.push(forbiddenField('spec', 'Pod running on node without support for resize'))
  errors.push(...validatePodLevelResize(pod.spec.resources, old.spec.resources))
  const order = validateSameContainers(pod, old)
  if (order.length > 0) return [...errors, ...order]
  for (const list of ['initContainers', 'containers'] as const) {
    for (const [index, before] of (old.spec[list] ?? []).entries()) {
      const at = `spec.${list}[${index}].resources`
      errors.push(...validateNothingRemoved(pod.spec[list]?.[index]?.resources, before.resources, at))
    }
  }
  return [...errors, ...validateContainersResize(pod, old)]
}

/** Nodes that can resize tell what each running container has. */
function isResizeSupported({ status }: Pod): boolean {
  const running = status?.containerStatuses?.find(({ state }) => state?.running !== undefined)
  return running === undefined || running.resources !== undefined
}

function validateSameContainers(pod: Pod, old: Pod): FieldError[] {
  return (['containers', 'initContainers'] as const).flatMap((list) => {
    const [now, before] = [pod.spec[list] ?? [], old.spec[list] ?? []]
    if (now.length !== before.length) {
      return [forbiddenField(`spec.${list}`, `${list} may not be added or removed on resize`)]
    }
    return before.flatMap(({ name }, index) =>
      now[index]?.name === name
        ? []
        : [forbiddenField(`spec.${list}[${index}].name`, `${list} may not be renamed or reordered on resize`)],
    )
  })
}

type Resources = ResourceRequirements | undefined

function lacks(now: Resources, before: Resources, part: 'limits' | 'requests'): boolean {
  return Object.keys(before?.[part] ?? {}).some((name) => now?.[part]?.[name] === undefined)
}

function validateNothingRemoved(now: Resources, before: Resources, path: string): FieldError[] {
  return (['requests', 'limits'] as const).flatMap((part) =>
    lacks(now, before, part) ? [forbiddenField(`${path}.${part}`, `resource ${part} cannot be removed`)] : [],
  )
}

function validatePodLevelResize(now: Resources, before: Resources): FieldError[] {
  const path = 'spec.resources'
  if (before !== undefined && now === undefined) {
    return [forbiddenField(path, 'pod-level resources cannot be removed')]
  }
  const errors = (['requests', 'limits'] as const).flatMap((part) =>
    lacks(now, before, part) ? [forbiddenField(`${path}.${part}`, `pod-level resource ${part} cannot be removed`)] : [],
  )
  if (deepEqual(fixedPart(now), fixedPart(before))) return errors
  return [...errors, forbiddenField('spec', 'only cpu and memory resources are mutable at pod-level')]
}

function validateContainersResize(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = []
  for (const [index, container] of pod.spec.containers.entries()) {
    if (deepEqual(fixedContainer(container), fixedContainer(old.spec.containers[index]))) continue
    errors.push(forbiddenField('spec', 'only cpu and memory resources are mutable'))
  }
  for (const [index, container] of (pod.spec.initContainers ?? []).entries()) {
    const before = old.spec.initContainers?.[index]
    if (deepEqual(container, before)) continue
    const at = `spec.initContainers[${index}]`
    if (!deepEqual(fixedContainer(container), fixedContainer(before))) {
      const detail = 'only cpu and memory resources for init or sidecar containers are mutable'
      errors.push(forbiddenField(at, detail))
    }
    if (isSidecar(container)) continue
    const restarts = (container.resizePolicy ?? []).filter(({ restartPolicy }) => restartPolicy === 'RestartContainer')
    const detail = 'non-sidecar init containers with a resize policy of RestartContainer cannot be resized'
    errors.push(...restarts.map(() => forbiddenField(at, detail)))
  }
  return errors
}

function fixedContainer(container: Container | undefined): unknown {
  return container && { ...container, resources: fixedPart(container.resources) }
}

/** All but CPU and memory. */
function fixedPart(resources: Resources): unknown {
  const without = (list: ResourceRequirements['limits']): object =>
    Object.fromEntries(Object.entries(list ?? {}).filter(([name]) => name !== 'cpu' && name !== 'memory'))
  return { limits: without(resources?.limits), requests: without(resources?.requests), claims: resources?.claims }
}
