import { forbiddenField } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { Container, ContainerStatus, Pod, PodSpec } from '../../../types/core.v1.ts'

/** A container that has ended for good does not run again. */
export function validateStateTransitions(pod: Pod, old: Pod): FieldError[] {
  const { spec } = old
  const mayAllRestart = [...(spec.initContainers ?? []), ...spec.containers].some((container) =>
    (container.restartPolicyRules ?? []).some(({ action }) => action === 'RestartAllContainers'),
  )
  const restarting = (containers: readonly Container[] | undefined) => (name: string, exitCode: number) => {
    const container = containers?.find((candidate) => candidate.name === name)
    return mayAllRestart || (container !== undefined && restartsAfter(container, spec, exitCode))
  }
  return [
    ...validateList('containerStatuses', pod, old, restarting(spec.containers)),
    ...validateList('initContainerStatuses', pod, old, restarting(spec.initContainers)),
    ...validateList('ephemeralContainerStatuses', pod, old, () => false),
  ]
}

type StatusList = 'containerStatuses' | 'initContainerStatuses' | 'ephemeralContainerStatuses'

function validateList(
  list: StatusList,
  { status }: Pod,
  { status: before }: Pod,
  mayRestart: (name: string, exitCode: number) => boolean,
): FieldError[] {
  const now: readonly ContainerStatus[] = status?.[list] ?? []
  return (before?.[list] ?? []).flatMap(({ name, state }, index) => {
    const ended = state?.terminated
    const after = now.find((candidate) => candidate.name === name)
    if (ended === undefined || after === undefined || after.state?.terminated !== undefined) return []
    if (mayRestart(name, ended.exitCode)) return []
    return [forbiddenField(`status.${list}[${index}].state`, 'may not be transitioned to non-terminated state')]
  })
}

/** The container's own rules and policy come before the pod's (KEP-5307). */
function restartsAfter(container: Container, spec: PodSpec, exitCode: number): boolean {
  if (container.restartPolicy !== undefined) {
    const matches = (container.restartPolicyRules ?? []).some(({ exitCodes }) => {
      const isListed = exitCodes?.values?.includes(exitCode) === true
      return exitCodes?.operator === 'In' ? isListed : exitCodes?.operator === 'NotIn' && !isListed
    })
    if (matches) return true
  }
  const policy = container.restartPolicy ?? spec.restartPolicy
  return policy === 'OnFailure' ? exitCode !== 0 : policy !== 'Never'
}
