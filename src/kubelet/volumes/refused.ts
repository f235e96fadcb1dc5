import type { VolumePlugin } from './volume-plugin.ts'

/** Types that are known and refused, each with its reason, so that pods say what is wrong with them. */
export const refusedVolumes: readonly VolumePlugin[] = [
  refused('image', 'image volumes are not supported by the container runtime of this node: they need containerd 2.1'),
  refused(
    'gitRepo',
    'gitRepo volume plugin has been disabled; if necessary, it may be re-enabled by enabling the feature-gate `GitRepoVolumeDriver`',
  ),
]

function refused(type: VolumePlugin['type'], why: string): VolumePlugin {
  return { type, isLive: false, setUp: () => Promise.reject(new Error(why)) }
}
