import type { Volume } from '#api/types/core.v1.ts'
import { configMapVolume } from './config-map.ts'
import { csiInlineVolume } from './csi-inline.ts'
import { downwardApiVolume } from './downward-api.ts'
import { emptyDirVolume } from './empty-dir.ts'
import { hostPathVolume } from './host-path.ts'
import { imageVolume } from './image.ts'
import { nfsVolume } from './nfs.ts'
import { claimVolume, ephemeralVolume } from './persistent.ts'
import { projectedVolume } from './projected.ts'
import { refusedVolumes } from './refused.ts'
import { secretVolume } from './secret.ts'
import { VolumeProcessError } from './volume-errors.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/** All types of volumes that the node knows. */
const volumePlugins: readonly VolumePlugin[] = [
  emptyDirVolume,
  hostPathVolume,
  configMapVolume,
  secretVolume,
  projectedVolume,
  downwardApiVolume,
  claimVolume,
  ephemeralVolume,
  csiInlineVolume,
  nfsVolume,
  imageVolume,
  ...refusedVolumes,
]

/** The type of a volume; a volume without a source is an emptyDir. Throws for a type that nobody provides. */
export function pluginOf(volume: Volume, plugins: readonly VolumePlugin[] = volumePlugins): VolumePlugin {
  const types = Object.keys(volume).filter((key) => key !== 'name' && volume[key as keyof Volume] !== undefined)
  const plugin = plugins.find(({ type }) => (types.length === 0 ? type === 'emptyDir' : types.includes(type)))
  if (plugin === undefined)
    throw new VolumeProcessError(
      `failed to get Plugin from volumeSpec for volume "${volume.name}" err=no volume plugin matched`,
    )
  return plugin
}
