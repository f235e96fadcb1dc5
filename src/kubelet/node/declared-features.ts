import { restartAllFeature } from '#api/core/v1/pod/required-node-features.ts'
import type { KubeletSettings } from '../configuration/kubelet-settings.ts'

/**
 * Newer features that this node has and that not every node of a cluster may have, in alphabetical order (KEP-5328):
 * schedulers give pods that need one only to nodes that say so.
 */
export function declaredFeatures({ policies }: Pick<KubeletSettings, 'policies'>): readonly string[] {
  // A container that has processors of its own is not resized.
  const resize = policies.cpus === undefined ? ['GuaranteedQoSPodCPUResize'] : []
  return [...resize, restartAllFeature]
}
