import { stat } from 'node:fs/promises'
import type { Node, PersistentVolume } from '#api/types/core.v1.ts'
import { matchesNodeSelector } from '#api/core/v1/node-affinity.ts'
import { persistentSource } from '../csi/csi-source.ts'
import { boundVolume, type BoundVolume } from './claim.ts'
import { checkHostPath } from './host-path.ts'
import { giveToGroup } from './group-ownership.ts'
import { mountNfs } from './nfs.ts'
import { NamedVolumeError, VolumePending, VolumeProcessError, VolumeStepError } from './volume-errors.ts'
import type { VolumeOnHost, VolumePlugin, VolumeRequest } from './volume-plugin.ts'

/** What a claim is bound to. */
export const claimVolume: VolumePlugin = { type: 'persistentVolumeClaim', isLive: false, setUp: setUpClaim }

/** A claim that was made for the pod alone. */
export const ephemeralVolume: VolumePlugin = { type: 'ephemeral', isLive: false, setUp: setUpClaim }

async function setUpClaim(request: VolumeRequest): Promise<VolumeOnHost> {
  const bound = await boundVolume(request)
  try {
    return await setUpBound(request, bound)
  } catch (error) {
    if (error instanceof VolumePending || error instanceof VolumeProcessError) throw error
    throw new NamedVolumeError(bound.persistent.metadata.name, error)
  }
}

async function setUpBound(request: VolumeRequest, bound: BoundVolume): Promise<VolumeOnHost> {
  const { persistent } = bound
  if (!reachesNode(persistent, request.node))
    throw new VolumeStepError('MountVolume.NodeAffinity check', 'no matching NodeSelectorTerms')
  const { spec } = persistent
  const setUp = persistentTypes.find(([type]) => spec[type] !== undefined)?.[1]
  if (setUp === undefined)
    throw new VolumeProcessError(
      `failed to get Plugin from volumeSpec for volume "${persistent.metadata.name}" err=no volume plugin matched`,
    )
  const isReadOnly = bound.readOnly || (spec.accessModes?.length === 1 && spec.accessModes[0] === 'ReadOnlyMany')
  const onHost = await setUp(request, bound, isReadOnly)
  const { name, namespace = '' } = bound.claim.metadata
  return {
    ...onHost,
    claim: { name, namespace },
    ...(isReadOnly && { readOnly: true }),
    ...(spec.volumeMode === 'Block' && { isDevice: true }),
  }
}

type SetUpPersistent = (request: VolumeRequest, bound: BoundVolume, isReadOnly: boolean) => Promise<VolumeOnHost>

/** How each type of persistent volume comes to be on the node. */
const persistentTypes: readonly (readonly [keyof PersistentVolume['spec'], SetUpPersistent])[] = [
  ['csi', setUpCsi],
  ['local', setUpLocal],
  [
    'hostPath',
    async (_request, { persistent }) => {
      const { path = '', type = '' } = persistent.spec.hostPath ?? {}
      await checkHostPath(path, type)
      return { hostPath: path }
    },
  ],
  [
    'nfs',
    async ({ directory }, { persistent }, readOnly) => {
      const { nfs, mountOptions } = persistent.spec
      return mountNfs(
        { server: '', path: '', ...nfs, readOnly: readOnly || nfs?.readOnly === true },
        directory,
        mountOptions,
      )
    },
  ],
]

async function setUpCsi(request: VolumeRequest, { persistent, claim, readOnly }: BoundVolume): Promise<VolumeOnHost> {
  const source = persistentSource(persistent, readOnly)
  if (source === undefined || request.csi === undefined) throw new Error('this node takes no CSI drivers')
  const onHost = await request.csi.setUp(request, source)
  await request.csi.expand(request, source, claim)
  return onHost
}

async function setUpLocal(
  { pod }: VolumeRequest,
  { persistent }: BoundVolume,
  isReadOnly: boolean,
): Promise<VolumeOnHost> {
  const { local, volumeMode } = persistent.spec
  const path = local?.path ?? ''
  const stats = await stat(path).catch(() => undefined)
  if (stats === undefined) throw new Error(`path "${path}" does not exist`)
  if (volumeMode === 'Block' && !stats.isBlockDevice()) throw new Error(`path "${path}" is not a block device`)
  if (stats.isDirectory() && !isReadOnly) await giveToGroup(pod, path)
  return { hostPath: path, ...(volumeMode !== 'Block' && { measuredAs: 'fileSystem' }) }
}

/** A local volume is of use on its own node only, whatever its claim says. */
export function reachesNode({ spec }: PersistentVolume, node: Node | undefined): boolean {
  const required = spec?.nodeAffinity?.required
  return required === undefined || node === undefined || matchesNodeSelector(required, node)
}
