import type { Pod, VolumeMount } from '#api/types/core.v1.ts'
import type { Log } from '#lib/log.ts'
import type { ContainerMount } from '../cri/container.ts'
import type { RuntimeHandler } from '../cri/runtime.ts'
import { configError } from '../environment/container-start-error.ts'
import { expandSubPath } from '../environment/expand-sub-path.ts'
import type { VolumesOnHost } from '../volumes/pod-volumes.ts'
import { isRecursivelyReadOnly } from '../status/recursive-read-only.ts'
import { handlerOf } from './handler-support.ts'
import { imageVolumeMount, type ImageVolumeInput } from './image-volume.ts'
import type { PodHost } from './pod-host.ts'

export interface MountInput extends ImageVolumeInput {
  readonly runtimeHandler: (pod: Pod) => string
  readonly runtimeHandlers: () => readonly RuntimeHandler[]
  readonly volumes: VolumesOnHost
  readonly host: PodHost
  readonly log: Log
  /** The pod's `/etc/hosts` on the node. */
  readonly hostsPath: string
  readonly terminationLogPath: string
  readonly valueOf: (name: string) => string | undefined
}

const propagations = { None: 'private', HostToContainer: 'hostToContainer', Bidirectional: 'bidirectional' } as const

/** Everything that is mounted into the container: its volumes, `/etc/hosts` and its termination log. */
export async function containerMounts(input: MountInput): Promise<readonly ContainerMount[]> {
  const mounts: ContainerMount[] = []
  for (const [index, mount] of (input.container.volumeMounts ?? []).entries())
    mounts.push(await volumeMount(input, mount, index))
  if (!mounts.some(({ containerPath }) => containerPath === '/etc/hosts')) {
    mounts.push(fileMount('/etc/hosts', input.hostsPath))
  }
  mounts.push(fileMount(input.container.terminationMessagePath ?? '/dev/termination-log', input.terminationLogPath))
  return mounts
}

function fileMount(containerPath: string, hostPath: string): ContainerMount {
  return { containerPath, hostPath, readOnly: false, propagation: 'private' }
}

async function volumeMount(input: MountInput, mount: VolumeMount, index: number): Promise<ContainerMount> {
  const volume = input.volumes.get(mount.name)
  if (volume === undefined)
    throw configError(`cannot find volume "${mount.name}" to mount into container "${input.container.name}"`)
  if (volume.isDevice === true)
    throw configError(`volume "${mount.name}" has volumeMode Block, but is specified in volumeMounts`)
  if (volume.image !== undefined) return imageVolumeMount(input, mount, volume.image)
  const subPath = mount.subPathExpr ? expandSubPath(mount.subPathExpr, input.valueOf) : (mount.subPath ?? '')
  const isKubeletWritten = volume.isKubeletWritten === true
  const hostPath =
    subPath === ''
      ? volume.hostPath
      : await boundSubPath(input, { mount, index, subPath, volumePath: volume.hostPath, isKubeletWritten })
  return {
    containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
    hostPath,
    readOnly: mount.readOnly === true || volume.readOnly === true,
    recursiveReadOnly: recursionOf(input, mount),
    propagation: propagations[mount.mountPropagation ?? 'None'],
  }
}

function recursionOf(input: MountInput, mount: VolumeMount): boolean {
  try {
    return isRecursivelyReadOnly(mount, handlerOf(input, input.pod)?.recursiveReadOnly === true)
  } catch (error) {
    throw configError((error as Error).message)
  }
}

interface SubPathInput {
  readonly mount: VolumeMount
  readonly index: number
  readonly subPath: string
  readonly volumePath: string
  readonly isKubeletWritten: boolean
}

async function boundSubPath(input: MountInput, { mount, index, ...request }: SubPathInput): Promise<string> {
  const fsGroup = input.pod.spec.securityContext?.fsGroup
  const mountId = `${mount.name}/${input.container.name}/${index}`
  try {
    return await input.host.bindSubPath(input.pod, { ...request, mountId, ...(fsGroup !== undefined && { fsGroup }) })
  } catch (error) {
    input.log.warn('sub-path not bound', { pod: input.pod.metadata.name, volume: mount.name, error })
    // Why tells what there is on the node, which is none of the pod's business.
    throw configError(
      `failed to prepare subPath for volumeMount "${mount.name}" of container "${input.container.name}"`,
    )
  }
}
