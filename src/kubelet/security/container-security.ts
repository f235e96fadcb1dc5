import type { Container, Pod, SeccompProfile } from '#api/types/core.v1.ts'
import type { ContainerSecurity } from '../cri/container.ts'
import type { ImageInfo } from '../cri/image.ts'
import type { NamespaceOptions, SandboxSecurity, SeccompSetting } from '../cri/sandbox.ts'
import type { IdRange } from '../user-namespaces/id-range.ts'
import { appArmorSetting } from './app-armor.ts'
import { ContainerStartError } from '../environment/container-start-error.ts'

/** Paths that runtimes hide or protect by default, because they tell about or change the node. */
const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]
const readOnlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

export interface SecurityInput {
  readonly pod: Pod
  readonly container: Container
  readonly image: ImageInfo
  /** Id of the container whose processes an ephemeral container is to see. */
  readonly targetId?: string
  /** The pod's own users and groups, where it has some. */
  readonly users?: IdRange
  /** Where localhost seccomp profiles lie. */
  readonly seccompDirectory: string
  /** Whether containers without a profile get the runtime's own; else nothing filters their calls. */
  readonly usesDefaultSeccomp?: boolean
}

/** The container's own settings over the pod's. Throws `ContainerStartError` when it must not run as root but would. */
export function containerSecurity(input: SecurityInput): ContainerSecurity {
  const { pod, container, image } = input
  const ofPod = pod.spec.securityContext ?? {}
  const own = container.securityContext ?? {}
  const isPrivileged = own.privileged === true
  const user = own.runAsUser ?? ofPod.runAsUser ?? image.uid
  const group = own.runAsGroup ?? ofPod.runAsGroup
  if ((own.runAsNonRoot ?? ofPod.runAsNonRoot) === true) verifyNonRoot(input, user)
  const appArmor = appArmorSetting(pod, container)
  const unmasked = isPrivileged || own.procMount === 'Unmasked'
  return {
    privileged: isPrivileged,
    capabilities: { add: own.capabilities?.add ?? [], drop: own.capabilities?.drop ?? [] },
    namespaces: namespaceOptions(pod, input),
    ...(user !== undefined && { runAsUser: user }),
    ...(group !== undefined && { runAsGroup: group }),
    ...(user === undefined && image.username !== '' && { runAsUsername: image.username }),
    readOnlyRootFilesystem: own.readOnlyRootFilesystem ?? false,
    supplementalGroups: supplementalGroups(pod),
    hasOnlyAskedGroups: ofPod.supplementalGroupsPolicy === 'Strict',
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    maskedPaths: unmasked ? [] : maskedPaths,
    readOnlyPaths: unmasked ? [] : readOnlyPaths,
    seccomp: seccompSetting(
      own.seccompProfile ?? ofPod.seccompProfile ?? (input.usesDefaultSeccomp === true ? ofRuntime : undefined),
      input.seccompDirectory,
      isPrivileged,
    ),
    ...(appArmor && { appArmor }),
  }
}

function verifyNonRoot({ pod, container, image }: SecurityInput, user: number | undefined): void {
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid})", container: ${container.name})`
  const fail = (why: string): never => {
    throw new ContainerStartError('CreateContainerConfigError', `container has runAsNonRoot and ${why} ${where}`)
  }
  const chosen = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser
  if (chosen === 0)
    throw new ContainerStartError('CreateContainerConfigError', `container's runAsUser breaks non-root policy ${where}`)
  if (chosen !== undefined) return
  if (user === 0 || (user === undefined && image.username === '')) fail('image will run as root')
  if (user === undefined) fail(`image has non-numeric user (${image.username}), cannot verify user is non-root`)
}

/** The sandbox itself never needs privileges of its own, but a privileged container needs a privileged sandbox. */
export function sandboxSecurity(
  pod: Pod,
  { seccompDirectory, users }: { readonly seccompDirectory: string; readonly users?: IdRange },
): SandboxSecurity {
  const { runAsUser, runAsGroup, seccompProfile } = pod.spec.securityContext ?? {}
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
  const privileged = containers.some((container) => container.securityContext?.privileged === true)
  return {
    namespaces: namespaceOptions(pod, users && { users }),
    privileged,
    ...(runAsUser !== undefined && { runAsUser }),
    ...(runAsUser !== undefined && runAsGroup !== undefined && { runAsGroup }),
    supplementalGroups: supplementalGroups(pod),
    hasOnlyAskedGroups: pod.spec.securityContext?.supplementalGroupsPolicy === 'Strict',
    // The pause process needs nothing, so it always gets the runtime's own filter (upstream does the same).
    seccomp:
      seccompProfile === undefined
        ? { type: 'RuntimeDefault' }
        : seccompSetting(seccompProfile, seccompDirectory, privileged),
  }
}

function namespaceOptions(
  { spec }: Pod,
  { targetId, users }: Pick<SecurityInput, 'targetId' | 'users'> = {},
): NamespaceOptions {
  const pid = spec.hostPID === true ? 'node' : spec.shareProcessNamespace === true ? 'pod' : 'container'
  return {
    network: spec.hostNetwork === true ? 'node' : 'pod',
    ipc: spec.hostIPC === true ? 'node' : 'pod',
    ...(targetId !== undefined && pid === 'container' ? { pid: 'target', targetId } : { pid }),
    ...(users && { users }),
  }
}

function supplementalGroups({ spec }: Pod): readonly number[] {
  const { fsGroup, supplementalGroups: listed = [] } = spec.securityContext ?? {}
  return fsGroup === undefined ? listed : [...listed, fsGroup]
}

const ofRuntime: SeccompProfile = { type: 'RuntimeDefault' }

/** Without a profile a container is not filtered (API reference, SeccompProfile). */
function seccompSetting(profile: SeccompProfile | undefined, directory: string, isPrivileged: boolean): SeccompSetting {
  if (profile === undefined || isPrivileged) return { type: 'Unconfined' }
  if (profile.type !== 'Localhost') return { type: profile.type }
  return { type: 'Localhost', localhostPath: `${directory}/${profile.localhostProfile ?? ''}` }
}
