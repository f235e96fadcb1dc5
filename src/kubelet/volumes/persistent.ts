import { stat } from 'node:fs/promises'
import type { Node, PersistentVolume } from '#api/types/core.v1.ts'
import { matchesNodeSelector } from '#api/core/v1/node-affinity.ts'
import { boundVolume } from './claim.ts'
import { checkHostPath } from './host-path.ts'
import { giveToGroup } from './group-ownership.ts'
import type { VolumeOnHost, VolumePlugin, VolumeRequest } from './volume-plugin.ts'

/** What a claim is bound to: a persistent volume on this machine's own disks. */
export const claimVolume: VolumePlugin = { type: 'persistentVolumeClaim', isLive: false, setUp: setUpClaim }

/** A claim that was made for the pod alone. */
export const ephemeralVolume: VolumePlugin = { type: 'ephemeral', isLive: false, setUp: setUpClaim }

async function setUpClaim(request: VolumeRequest): Promise<VolumeOnHost> {
  const { persistent, readOnly } = await boundVolume(request)
  if (!reachesNode(persistent, request.node))
    throw new Error(`MountVolume.NodeAffinity check failed for volume "${persistent.metadata.name}"`)
  const { hostPath, local, accessModes = [], volumeMode } = persistent.spec ?? {}
  const isReadOnly = readOnly || (accessModes.length === 1 && accessModes[0] === 'ReadOnlyMany')
  const onHost = { ...(isReadOnly && { readOnly: true }), ...(volumeMode === 'Block' && { isDevice: true }) }
  if (hostPath) {
    await checkHostPath(hostPath.path, hostPath.type ?? '')
    return { ...onHost, hostPath: hostPath.path }
  }
  if (local) {
    const stats = await stat(local.path).catch(() => undefined)
    if (stats === undefined) throw new Error(`path "${local.path}" does not exist`)
    if (volumeMode === 'Block' && !stats.isBlockDevice()) throw new Error(`path "${local.path}" is not a block device`)
    if (stats.isDirectory() && !isReadOnly) await giveToGroup(request.pod, local.path)
    return { ...onHost, hostPath: local.path }
  }
  throw new Error(
    `failed to get Plugin from volumeSpec for volume "${persistent.metadata.name}" err=no volume plugin matched`,
  )
}

/** A local volume is of use on its own node only, whatever its claim says. */
export function reachesNode({ spec }: PersistentVolume, node: Node | undefined): boolean {
  const required = spec?.nodeAffinity?.required
  return required === undefined || node === undefined || matchesNodeSelector(required, node)
}
