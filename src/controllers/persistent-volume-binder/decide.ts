import { claimStorageClass } from '#api/core/v1/volume-facts.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '#api/types/core.v1.ts'
import type { StorageClass } from '#api/types/storage.v1.ts'
import { bestVolume, mismatch, refersTo } from './match.ts'

export const bindCompleted = 'pv.kubernetes.io/bind-completed'
export const boundByController = 'pv.kubernetes.io/bound-by-controller'
const provisionedBy = 'pv.kubernetes.io/provisioned-by'
const selectedNode = 'volume.kubernetes.io/selected-node'

export interface Told {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export type ClaimDecision =
  | { readonly do: 'bind'; readonly volume: PersistentVolume }
  /** It names no class, and there is one for those. */
  | { readonly do: 'class'; readonly storageClass: string }
  /** Nothing to bind to yet. */
  | { readonly do: 'wait'; readonly told?: Told }
  /** An outside provisioner is to make a volume. */
  | { readonly do: 'provision'; readonly provisioner: string; readonly told: Told }
  | { readonly do: 'lose'; readonly told: Told }

export interface VolumesView {
  readonly volumes: readonly PersistentVolume[]
  readonly volume: (name: string) => PersistentVolume | undefined
  readonly storageClass: (name: string) => StorageClass | undefined
  /** The class of claims that name none. */
  readonly defaultClass: () => StorageClass | undefined
  /** Names of the pods that want the claim and have no node yet. */
  readonly waitingPods: () => readonly string[]
}

/** What becomes of a claim (documentation page "Persistent Volumes", binding). */
export function decideClaim(claim: PersistentVolumeClaim, view: VolumesView): ClaimDecision {
  const name = claim.spec.volumeName ?? ''
  if (claim.metadata.annotations?.[bindCompleted] !== undefined) return decideBound(claim, name, view)
  return name === '' ? decideUnbound(claim, view) : decideRequested(claim, name, view)
}

function decideBound(claim: PersistentVolumeClaim, name: string, view: VolumesView): ClaimDecision {
  const lost = (reason: string, message: string): ClaimDecision => ({
    do: 'lose',
    told: { type: 'Warning', reason, message },
  })
  if (name === '') {
    return lost('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!')
  }
  const volume = view.volume(name)
  if (volume === undefined) {
    return lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  }
  if (volume.spec.claimRef === undefined || refersTo(volume, claim)) return { do: 'bind', volume }
  return lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
}

function decideRequested(claim: PersistentVolumeClaim, name: string, view: VolumesView): ClaimDecision {
  const volume = view.volume(name)
  if (volume === undefined) return { do: 'wait' }
  if (volume.spec.claimRef !== undefined && !refersTo(volume, claim)) {
    const message = `volume "${name}" already bound to a different claim.`
    return { do: 'wait', told: { type: 'Warning', reason: 'FailedBinding', message } }
  }
  const problem = volume.spec.claimRef === undefined ? mismatch(claim, volume) : undefined
  if (problem === undefined) return { do: 'bind', volume }
  const message = `Cannot bind to requested volume "${name}": ${problem}`
  return { do: 'wait', told: { type: 'Warning', reason: 'VolumeMismatch', message } }
}

function decideUnbound(claim: PersistentVolumeClaim, view: VolumesView): ClaimDecision {
  const className = claimStorageClass(claim) ?? ''
  const storageClass = className === '' ? undefined : view.storageClass(className)
  const isDelayed = storageClass?.volumeBindingMode === 'WaitForFirstConsumer'
  const waitsForPod = isDelayed && claim.metadata.annotations?.[selectedNode] === undefined
  const volume = bestVolume(claim, view.volumes, { onlyReserved: waitsForPod })
  if (volume !== undefined) return { do: 'bind', volume }
  if (waitsForPod) return { do: 'wait', told: waitingFor(view.waitingPods()) }
  const given = claimStorageClass(claim) === undefined ? view.defaultClass() : undefined
  if (given !== undefined) return { do: 'class', storageClass: given.metadata.name }
  if (className === '') {
    const message = 'no persistent volumes available for this claim and no storage class is set'
    return { do: 'wait', told: { type: 'Normal', reason: 'FailedBinding', message } }
  }
  return decideProvisioning(className, storageClass)
}

function waitingFor(pods: readonly string[]): Told {
  const first = 'waiting for first consumer to be created before binding'
  if (pods.length === 0) return { type: 'Normal', reason: 'WaitForFirstConsumer', message: first }
  const message = `waiting for ${pods.length === 1 ? 'pod' : 'pods'} ${pods.join(',')} to be scheduled`
  return { type: 'Normal', reason: 'WaitForPodScheduled', message }
}

function decideProvisioning(className: string, storageClass: StorageClass | undefined): ClaimDecision {
  const refused = (message: string): ClaimDecision => ({
    do: 'wait',
    told: { type: 'Warning', reason: 'ProvisioningFailed', message },
  })
  if (storageClass === undefined) return refused(`storageclass.storage.k8s.io "${className}" not found`)
  const { provisioner } = storageClass
  if (provisioner === 'kubernetes.io/no-provisioner') {
    return refused(`no volume plugin matched name: ${provisioner}`)
  }
  const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`
  return { do: 'provision', provisioner, told: { type: 'Normal', reason: 'ExternalProvisioning', message } }
}

export type VolumeDecision =
  | { readonly do: 'phase'; readonly phase: 'Available' | 'Bound' | 'Released' }
  /** The claim it was bound to took another volume: it is free again. */
  | { readonly do: 'unbind' }
  | { readonly do: 'fail'; readonly told: Told }
  /** Its claim comes first, or nobody can do anything. */
  | { readonly do: 'nothing' }

/** What becomes of a volume; `claim` is the one its reference names. */
export function decideVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): VolumeDecision {
  const { claimRef } = volume.spec
  if (claimRef === undefined) return { do: 'phase', phase: 'Available' }
  if (!claimRef.uid) return claim === undefined ? { do: 'phase', phase: 'Available' } : { do: 'nothing' }
  if (claim === undefined || claim.metadata.uid !== claimRef.uid) return released(volume)
  if (claim.spec.volumeName === volume.metadata.name) return { do: 'phase', phase: 'Bound' }
  if (!claim.spec.volumeName) return { do: 'nothing' }
  return { do: 'unbind' }
}

/** Keeping, and deletion by the provisioner that made the volume, need nothing from here; nobody else can delete one. */
function released(volume: PersistentVolume): VolumeDecision {
  const { persistentVolumeReclaimPolicy: policy, csi } = volume.spec
  if (volume.status?.phase !== 'Released') {
    return volume.status?.phase === 'Failed' ? { do: 'nothing' } : { do: 'phase', phase: 'Released' }
  }
  const hasDeleter = csi !== undefined || volume.metadata.annotations?.[provisionedBy] !== undefined
  if (policy === 'Recycle') {
    const message = 'No recycler plugin found for the volume!'
    return { do: 'fail', told: { type: 'Warning', reason: 'VolumeFailedRecycle', message } }
  }
  if (policy !== 'Delete' || hasDeleter) return { do: 'phase', phase: 'Released' }
  const message = `error getting deleter volume plugin for volume "${volume.metadata.name}": no deletable volume plugin matched`
  return { do: 'fail', told: { type: 'Warning', reason: 'VolumeFailedDelete', message } }
}
