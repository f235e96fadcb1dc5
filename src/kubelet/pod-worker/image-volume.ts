import type { Container, ImageVolumeSource, Pod, VolumeMount } from '#api/types/core.v1.ts'
import type { ContainerMount } from '../cri/container.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import { configError } from '../environment/container-start-error.ts'
import type { ImageManager } from '../images/image-manager.ts'
import type { PodObjects } from '../objects/pod-objects.ts'

export interface ImageVolumeInput {
  readonly pod: Pod
  readonly container: Container
  readonly objects: PodObjects
  readonly signal: AbortSignal
  readonly images: ImageManager
  readonly runtime: Pick<ContainerRuntime, 'version'>
}

/**
 * Mounts the content of an image into the container, read-only (KEP-4639). It is pulled like the container's own, with
 * the same reasons when it cannot be.
 */
export async function imageVolumeMount(
  input: ImageVolumeInput,
  mount: VolumeMount,
  { reference = '', pullPolicy }: ImageVolumeSource,
): Promise<ContainerMount> {
  const { name, version } = await input.runtime.version()
  const needed = (mount.subPath ?? '') === '' ? '2.1' : '2.2'
  if (name !== 'containerd' || !isAtLeast(version, needed))
    throw configError(
      `volume "${mount.name}" is an image, and mounting ${needed === '2.1' ? 'one' : 'a path inside one'} takes containerd ${needed}: this node has ${name} ${version}`,
    )
  const { pod, container, objects, signal } = input
  const asContainer: Container = {
    name: container.name,
    image: reference,
    ...(pullPolicy && { imagePullPolicy: pullPolicy }),
  }
  const { id } = await input.images.ensure({ pod, container: asContainer, objects, signal })
  return {
    containerPath: mount.mountPath,
    hostPath: '',
    readOnly: true,
    propagation: 'private',
    image: { id, reference, subPath: mount.subPath ?? '' },
  }
}

/** An older runtime would not complain, and mount the empty path or the whole image. */
function isAtLeast(version: string, needed: string): boolean {
  const numbers = (text: string): readonly number[] => text.replace(/^v/, '').split('.').map(Number)
  const [major = 0, minor = 0] = numbers(version)
  const [neededMajor = 0, neededMinor = 0] = numbers(needed)
  return major > neededMajor || (major === neededMajor && minor >= neededMinor)
}
