import { ageOf } from '#api/meta/duration.ts'
import type { ContainerStateTerminated, ContainerStatus, Pod } from '#api/types/core.v1.ts'
import type { PodFacts } from './pod-facts.ts'
import type { Finding } from './why-report.ts'

type Say = (status: ContainerStatus, message: string, pod: Pod) => Finding

/** What a container that waits is waiting for, by the reason that the kubelet gives. */
const waiting: Readonly<Record<string, Say>> = {
  ErrImagePull: image,
  ImagePullBackOff: image,
  RegistryUnavailable: image,
  SignatureValidationFailed: image,
  InvalidImageName: ({ name, image: given }) => ({
    reason: 'InvalidImageName',
    message: `container ${name} names no valid image: "${given}"`,
    remedies: [`correct the image of container ${name}`],
  }),
  ErrImageNeverPull: ({ name, image: given }, _message, pod) => ({
    reason: 'ErrImageNeverPull',
    message: `container ${name} must not pull its image ${given}, and ${pod.spec.nodeName} does not have it`,
    remedies: [`bring ${given} to ${pod.spec.nodeName}`, 'or set imagePullPolicy: IfNotPresent'],
  }),
  CreateContainerConfigError: ({ name }, message) => ({
    reason: 'ContainerConfig',
    message: `container ${name} cannot be configured: ${message}`,
    remedies: [/not found/.test(message) ? `create what is missing: ${message}` : `correct container ${name}`],
  }),
  CreateContainerError: notCreated,
  RunContainerError: notCreated,
  CrashLoopBackOff: crashing,
}

/** What is wrong with single containers, init containers first. */
export function containerFindings({ pod, nowMs }: PodFacts): readonly Finding[] {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {}
  return [...initContainerStatuses, ...containerStatuses].flatMap((status) => {
    const { state, lastState } = status
    const say = state?.waiting && waiting[state.waiting.reason ?? '']
    if (state?.waiting && say) return say(status, state.waiting.message ?? '', pod)
    const ended = state?.terminated
    if (ended && ended.exitCode !== 0) return exited(status, ended, pod)
    // Between two crashes a container runs, and the pod looks well for a moment.
    const last = lastState?.terminated
    const isYoung = nowMs - Date.parse(state?.running?.startedAt ?? '') < 10_000
    return last && last.exitCode !== 0 && isYoung && !status.ready ? crashing(status, '', pod) : []
  })
}

function image({ name, image: given }: ContainerStatus, message: string, pod: Pod): Finding {
  const remedies = [
    `make sure that ${given} exists and that ${pod.spec.nodeName} reaches its registry`,
    'if the registry wants credentials, name them in imagePullSecrets',
  ]
  const said = message === '' ? '' : `: ${message}`
  return { reason: 'ImagePull', message: `the image ${given} of container ${name} cannot be pulled${said}`, remedies }
}

function notCreated({ name }: ContainerStatus, message: string): Finding {
  const remedies = [`correct the command, the mounts or the security context of container ${name}`]
  return { reason: 'ContainerCreation', message: `container ${name} cannot be started: ${message}`, remedies }
}

function crashing(status: ContainerStatus, _message: string, pod: Pod): Finding {
  const { name, restartCount, lastState } = status
  const how = lastState?.terminated ? `, last ${howItEnded(lastState.terminated)}` : ''
  const message = `container ${name} crashes again and again: ${restartCount} restarts${how}`
  return { reason: 'CrashLoop', message, remedies: remediesOf(name, lastState?.terminated, pod) }
}

function exited({ name }: ContainerStatus, ended: ContainerStateTerminated, pod: Pod): Finding {
  const message = `container ${name} ended ${howItEnded(ended)}`
  return { reason: 'ContainerFailed', message, remedies: remediesOf(name, ended, pod) }
}

function howItEnded({ exitCode, reason, message, signal }: ContainerStateTerminated): string {
  const said = message === undefined || message === '' ? '' : `: ${message.trim()}`
  const by = signal ? ` by signal ${signal}` : ''
  return `with exit code ${exitCode}${by}${reason && reason !== 'Error' ? ` (${reason})` : ''}${said}`
}

function remediesOf(container: string, ended: ContainerStateTerminated | undefined, { metadata }: Pod): string[] {
  const logs = `kubectl logs ${metadata.name} -n ${metadata.namespace} -c ${container} --previous`
  if (ended?.reason === 'OOMKilled') return [`raise the memory limit of container ${container}`, logs]
  const codes: Readonly<Record<number, string>> = {
    126: `make the command of container ${container} executable`,
    127: `correct the command of container ${container}: it was not found`,
  }
  const known = codes[ended?.exitCode ?? 0]
  return known === undefined ? [logs] : [known, logs]
}

/** How long a pod has been there. */
export function ageOfPod({ pod, nowMs }: Pick<PodFacts, 'pod' | 'nowMs'>): string {
  return ageOf(pod.metadata.creationTimestamp, nowMs)
}
