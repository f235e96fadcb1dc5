import type { PersistentVolume, Pod, SecretReference, Volume } from '#api/types/core.v1.ts'
import { createHash } from 'node:crypto'

/** What it takes to find a volume again and to let go of it. */
export interface CsiVolumeId {
  /** Names the volume on the node: the persistent volume's name, or the one it has in the pod. */
  readonly name: string
  readonly driver: string
  /** The driver's own name of it. */
  readonly handle: string
  readonly lifecycle: 'Persistent' | 'Ephemeral'
  readonly isBlock: boolean
}

/** A volume of a CSI driver, however the pod came by it. */
export interface CsiSource extends CsiVolumeId {
  readonly readOnly: boolean
  readonly fsType: string
  readonly accessModes: readonly string[]
  readonly mountOptions: readonly string[]
  readonly attributes: Readonly<Record<string, string>>
  /** How large the volume is said to be. */
  readonly capacity?: string
  readonly stageSecret?: SecretReference
  readonly publishSecret?: SecretReference
  readonly expandSecret?: SecretReference
}

/** A persistent volume's; `undefined` when it belongs to no driver. */
export function persistentSource({ metadata, spec }: PersistentVolume, readOnly: boolean): CsiSource | undefined {
  const { csi, accessModes = [], mountOptions = [], volumeMode, capacity } = spec
  if (csi === undefined) return undefined
  const { nodeStageSecretRef, nodePublishSecretRef, nodeExpandSecretRef } = csi
  return {
    name: metadata.name,
    driver: csi.driver,
    handle: csi.volumeHandle,
    lifecycle: 'Persistent',
    isBlock: volumeMode === 'Block',
    readOnly,
    fsType: csi.fsType ?? '',
    accessModes,
    mountOptions,
    attributes: csi.volumeAttributes ?? {},
    ...(capacity?.['storage'] !== undefined && { capacity: capacity['storage'] }),
    ...(nodeStageSecretRef && { stageSecret: nodeStageSecretRef }),
    ...(nodePublishSecretRef && { publishSecret: nodePublishSecretRef }),
    ...(nodeExpandSecretRef && { expandSecret: nodeExpandSecretRef }),
  }
}

/** An inline volume's, which lives as long as its pod (KEP-596). */
export function inlineSource({ metadata }: Pod, { name, csi }: Volume): CsiSource {
  const { driver = '', fsType = '', readOnly = false, volumeAttributes = {}, nodePublishSecretRef } = csi ?? {}
  const { name: secretName = '' } = nodePublishSecretRef ?? {}
  return {
    name,
    driver,
    handle: `csi-${sha256(`${metadata.uid}${name}`)}`,
    lifecycle: 'Ephemeral',
    isBlock: false,
    readOnly,
    fsType,
    accessModes: ['ReadWriteOnce'],
    mountOptions: [],
    attributes: volumeAttributes,
    ...(secretName !== '' && { publishSecret: { name: secretName, namespace: metadata.namespace ?? '' } }),
  }
}

/** The digest that drivers and tools expect in names and paths. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
