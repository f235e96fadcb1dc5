import { allContainers, isSidecar } from '#api/core/v1/pod-facts.ts'
import { formatTime } from '#lib/clock.ts'
import type { Container, ContainerState, ContainerStatus, VolumeMount } from '#api/types/core.v1.ts'
import type { ContainerStatus as RuntimeContainer } from '../cri/container.ts'
import type { PodStatusInput, WaitingReason } from './pod-status-input.ts'
import { isRecursivelyReadOnly } from './recursive-read-only.ts'

type ContainerRole = 'init' | 'main' | 'ephemeral'

/** The API's status of one container. `isInitialized`: all init containers before the main ones are done. */
export function containerStatusOf(
  input: PodStatusInput,
  container: Container,
  { role, isInitialized }: { role: ContainerRole; isInitialized: boolean },
): ContainerStatus {
  const runs = input.view.containers.filter(({ name }) => name === container.name)
  const [latest] = runs
  const known = previousStatus(input, container.name, role)
  if (latest === undefined) return neverRun(input, container, known, role === 'init' || !isInitialized)
  const waiting = latest.state === 'running' ? undefined : input.waiting.get(container.name)
  const isBlocked = waiting !== undefined && !(latest.state === 'exited' && input.isEnding)
  const before = isBlocked ? latest : runs[1]
  const isStarted = latest.state === 'running' && input.probes.isStarted(container, latest.id)
  return {
    name: container.name,
    state: isBlocked ? { waiting } : stateOf(input, latest),
    lastState: before?.state === 'exited' ? stateOf(input, before) : {},
    ready: isReady(input, container, latest, role),
    restartCount: latest.attempt,
    image: container.image ?? latest.image,
    imageID: latest.imageRef,
    containerID: `${input.runtimeName}://${latest.id}`,
    ...(role !== 'ephemeral' && { started: isStarted }),
    ...resourceParts(input, container),
    ...(role !== 'ephemeral' && healthParts(input, container)),
    ...mountParts(input, container),
    ...(container.lifecycle?.stopSignal !== undefined && { stopSignal: container.lifecycle.stopSignal }),
    ...(latest.user && { user: { linux: latest.user } }),
  }
}

/** A container whose device is unwell may fail for no fault of its own (KEP-4680). */
function healthParts({ deviceHealth }: PodStatusInput, container: Container): Partial<ContainerStatus> {
  const allocatedResourcesStatus = deviceHealth?.(container) ?? []
  return allocatedResourcesStatus.length === 0 ? {} : { allocatedResourcesStatus }
}

/** What the container was given, which a resize may lag behind (KEP-1287). */
function resourceParts({ given }: PodStatusInput, container: Container): Partial<ContainerStatus> {
  const { requests, limits } = given.get(container.name) ?? container.resources ?? {}
  const hasRequests = Object.keys(requests ?? {}).length > 0
  const hasLimits = Object.keys(limits ?? {}).length > 0
  return {
    ...(hasRequests && { allocatedResources: requests }),
    resources: { ...(hasLimits && { limits }), ...(hasRequests && { requests }) },
  }
}

/** How its volumes are mounted; recursively read-only mounts say whether they are (KEP-3857). */
function mountParts(input: PodStatusInput, { volumeMounts = [] }: Container): Partial<ContainerStatus> {
  if (volumeMounts.length === 0) return {}
  return {
    volumeMounts: volumeMounts.map((mount) => ({
      name: mount.name,
      mountPath: mount.mountPath,
      ...(mount.readOnly === true && {
        readOnly: true,
        recursiveReadOnly: isShownRecursive(mount, input.canMountRecursively) ? 'Enabled' : 'Disabled',
      }),
    })),
  }
}

function isShownRecursive(mount: VolumeMount, isSupported: boolean): boolean {
  try {
    return isRecursivelyReadOnly(mount, isSupported)
  } catch {
    return false
  }
}

function isReady(input: PodStatusInput, container: Container, latest: RuntimeContainer, role: ContainerRole): boolean {
  if (role === 'init' && !isSidecar(container)) return latest.state === 'exited' && latest.exitCode === 0
  return role !== 'ephemeral' && latest.state === 'running' && input.probes.isReady(container, latest.id)
}

function stateOf(input: PodStatusInput, run: RuntimeContainer): ContainerState {
  if (run.state === 'running') return { running: { startedAt: formatTime(run.startedAtMs) } }
  if (run.state === 'created') return { waiting: { reason: 'ContainerCreating' } }
  const message = lastWords(input, run)
  return {
    terminated: {
      exitCode: run.state === 'unknown' ? 137 : run.exitCode,
      reason: terminationReason(run),
      ...(message !== '' && { message }),
      startedAt: formatTime(run.startedAtMs || run.createdAtMs),
      finishedAt: formatTime(run.finishedAtMs || run.createdAtMs),
      containerID: `${input.runtimeName}://${run.id}`,
    },
  }
}

/** All messages of a pod's containers together; each gets its share. */
const maximumMessageBytes = 12 * 1024

/** What the runtime says of the end, then what the container itself has left. */
function lastWords({ pod, terminationMessages }: PodStatusInput, run: RuntimeContainer): string {
  const own = terminationMessages.get(run.id) ?? ''
  const bytes = Buffer.from([run.message, own].filter((text) => text !== '').join(': '), 'utf8')
  const share = Math.floor(maximumMessageBytes / allContainers(pod.spec).length)
  return bytes.length <= share ? bytes.toString('utf8') : bytes.toString('utf8', 0, share)
}

function terminationReason(run: RuntimeContainer): string {
  if (run.state === 'unknown') return 'ContainerStatusUnknown'
  if (run.reason !== '') return run.reason
  return run.exitCode === 0 ? 'Completed' : 'Error'
}

function neverRun(
  input: PodStatusInput,
  container: Container,
  known: ContainerStatus | undefined,
  isInitializing: boolean,
): ContainerStatus {
  const hasInit = (input.pod.spec.initContainers ?? []).length > 0
  const reason = isInitializing && hasInit ? 'PodInitializing' : 'ContainerCreating'
  const waiting: WaitingReason | { readonly reason: string } = input.waiting.get(container.name) ?? { reason }
  // A container that has ended and was removed from the runtime stays ended.
  if (input.isEnding && known?.state?.terminated) return known
  return {
    name: container.name,
    state: endedUnseen(input, known, isInitializing) ?? { waiting },
    lastState: known?.lastState ?? {},
    ready: false,
    restartCount: known?.restartCount ?? 0,
    image: container.image ?? '',
    imageID: '',
    started: false,
  }
}

/** The container ran by its status, or was to run, but the runtime knows nothing of it and nothing will start it again. */
function endedUnseen(
  { isEnding, hasStopped }: PodStatusInput,
  known: ContainerStatus | undefined,
  isInitializing: boolean,
): ContainerState | undefined {
  const hasRun = isEnding && known?.state?.running !== undefined
  if (!hasRun && (isInitializing || !hasStopped)) return undefined
  const message = 'The container could not be located when the pod was terminated'
  return { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', message } }
}

function previousStatus(input: PodStatusInput, name: string, role: ContainerRole): ContainerStatus | undefined {
  const { initContainerStatuses, containerStatuses, ephemeralContainerStatuses } = input.pod.status ?? {}
  const lists = { init: initContainerStatuses, main: containerStatuses, ephemeral: ephemeralContainerStatuses }
  return lists[role]?.find((status) => status.name === name)
}
