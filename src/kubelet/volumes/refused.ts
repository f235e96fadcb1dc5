import type { VolumePlugin } from './volume-plugin.ts'

/** What is still in the API but has no place on this node. */
const without: Partial<Record<VolumePlugin['type'], string>> = {
  iscsi: 'iscsi volumes are not supported by this node: use a CSI driver for iSCSI',
  fc: 'fc volumes are not supported by this node: use a CSI driver for Fibre Channel',
  flexVolume: 'flexVolume volumes are not supported by this node: use a CSI driver',
}

/** Types that are known and refused, each with its reason, so that pods say what is wrong with them. */
export const refusedVolumes: readonly VolumePlugin[] = [
  refused(
    'gitRepo',
    'gitRepo volume plugin has been disabled; if necessary, it may be re-enabled by enabling the feature-gate `GitRepoVolumeDriver`',
  ),
  ...Object.entries(without).map(([type, why]) => refused(type as VolumePlugin['type'], why)),
]

function refused(type: VolumePlugin['type'], why: string): VolumePlugin {
  return { type, isLive: false, setUp: () => Promise.reject(new Error(why)) }
}
