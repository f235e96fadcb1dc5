import { inlineSource } from '../csi/csi-source.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/** A volume that a CSI driver makes for the pod and takes away with it. */
export const csiInlineVolume: VolumePlugin = {
  type: 'csi',
  isLive: false,
  async setUp(request) {
    if (request.csi === undefined) throw new Error('this node takes no CSI drivers')
    return request.csi.setUp(request, inlineSource(request.pod, request.volume))
  },
}
