import type { Container } from '#api/types/core.v1.ts'
import { configError } from '../environment/container-start-error.ts'
import type { ContainerConfig } from '../cri/container.ts'
import type { VolumesOnHost } from '../volumes/pod-volumes.ts'

/** The block devices of the container: volumes that it takes as they are, without a file system. */
export function containerDevices(container: Container, volumes: VolumesOnHost): ContainerConfig['devices'] {
  return (container.volumeDevices ?? []).map(({ name, devicePath }) => {
    const volume = volumes.get(name)
    if (volume?.isDevice !== true)
      throw configError(`volume "${name}" has volumeMode Filesystem, but is specified in volumeDevices`)
    const permissions = volume.readOnly === true ? 'r' : 'mrw'
    return { hostPath: volume.hostPath, containerPath: devicePath, permissions }
  })
}
