import type { VolumePlugin } from './volume-plugin.ts'

/** The content of an image. There is nothing to be made ready on the node: the runtime mounts it for each container. */
export const imageVolume: VolumePlugin = {
  type: 'image',
  isLive: false,
  setUp: async ({ volume }) => ({ hostPath: '', readOnly: true, ...(volume.image && { image: volume.image }) }),
}
