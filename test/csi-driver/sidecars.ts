import { setTimeout } from 'node:timers/promises'
import { parseQuantity } from '#api/meta/quantity.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '#api/types/core.v1.ts'
import type { VolumeAttachment } from '#api/types/storage.v1.ts'
import { persistentVolumeClaims, persistentVolumes, storageClasses, volumeAttachments } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'

export interface SidecarOptions {
  readonly client: Client
  readonly driver: string
  /** Volumes are made so that this node alone reaches them; absent: all do. */
  readonly topology?: Readonly<Record<string, string>>
  /** What the attacher tells the node. */
  readonly attachmentMetadata?: Readonly<Record<string, string>>
}

const finalizer = (driver: string): string => `external-attacher/${driver.replaceAll('.', '-')}`

/**
 * Plays what runs beside a driver upstream: makes and deletes volumes for claims, attaches and detaches them, and grows
 * them. Follows the API until it is disposed of.
 */
export class Sidecars implements AsyncDisposable {
  readonly #options: SidecarOptions
  readonly #stop = new AbortController()
  readonly #running: readonly Promise<void>[]
  /** While set, attaching fails with this message. */
  attachFailure: string | undefined

  constructor(options: SidecarOptions) {
    this.#options = options
    this.#running = [
      this.#follow(persistentVolumeClaims, (claim) => this.#claim(claim)),
      this.#follow(persistentVolumes, (volume) => this.#volume(volume)),
      this.#follow(volumeAttachments, (attachment) => this.#attachment(attachment)),
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled(this.#running)
  }

  async #follow<T extends KubernetesObject>(
    resource: Resource<T>,
    handle: (object: T) => Promise<void>,
  ): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#followOnce(resource, handle).catch(() => undefined)
      // The server is away, or wants to be asked again.
      await setTimeout(100, undefined, { signal }).catch(() => undefined)
    }
  }

  async #followOnce<T extends KubernetesObject>(
    resource: Resource<T>,
    handle: (object: T) => Promise<void>,
  ): Promise<void> {
    const { client } = this.#options
    const { signal } = this.#stop
    const tried = (object: T): Promise<void> => handle(object).catch(() => undefined)
    const { items, resourceVersion } = await client.resource(resource).list()
    for (const object of items) await tried(object)
    for await (const event of client.resource(resource).watch({ resourceVersion, signal }))
      if (event.type === 'ADDED' || event.type === 'MODIFIED') await tried(event.object)
  }

  async #claim(claim: PersistentVolumeClaim): Promise<void> {
    const { annotations = {}, namespace, name, uid } = claim.metadata
    if (annotations['volume.kubernetes.io/storage-provisioner'] !== this.#options.driver) return
    if (claim.spec.volumeName) return this.#grow(claim)
    const storageClass = await this.#options.client.resource(storageClasses).get(claim.spec.storageClassName ?? '')
    const isDelayed = storageClass.volumeBindingMode === 'WaitForFirstConsumer'
    if (isDelayed && annotations['volume.kubernetes.io/selected-node'] === undefined) return
    const { driver, topology } = this.#options
    const expressions = Object.entries(topology ?? {}).map(([key, value]) => ({ key, operator: 'In', values: [value] }))
    await this.#options.client.resource(persistentVolumes).create({
      metadata: { name: `pvc-${uid}`, annotations: { 'pv.kubernetes.io/provisioned-by': driver } },
      spec: {
        capacity: { storage: claim.spec.resources?.requests?.['storage'] ?? '1Gi' },
        accessModes: claim.spec.accessModes,
        volumeMode: claim.spec.volumeMode,
        persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
        storageClassName: claim.spec.storageClassName,
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
        csi: { driver, volumeHandle: `vol-${uid}`, fsType: 'ext4', volumeAttributes: { made: 'by-test' } },
        ...(expressions.length > 0 && {
          nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: expressions }] } },
        }),
      } as PersistentVolume['spec'],
    })
  }

  /** The volume first, then the word to the node that its part is left. */
  async #grow(claim: PersistentVolumeClaim): Promise<void> {
    const wanted = claim.spec.resources?.requests?.['storage'] ?? '0'
    const volumes = this.#options.client.resource(persistentVolumes)
    const volume = await volumes.get(claim.spec.volumeName ?? '')
    if (parseQuantity(volume.spec.capacity?.['storage'] ?? '0').nanos >= parseQuantity(wanted).nanos) return
    await volumes.patch(volume.metadata.name, { type: 'merge', patch: { spec: { capacity: { storage: wanted } } } })
    const condition = { type: 'FileSystemResizePending', status: 'True' }
    await this.#options.client
      .resource(persistentVolumeClaims, claim.metadata.namespace)
      .patch(
        claim.metadata.name,
        { type: 'strategic', patch: { status: { conditions: [condition] } } },
        { subresource: 'status' },
      )
  }

  async #volume({ metadata, spec, status }: PersistentVolume): Promise<void> {
    if (spec.csi?.driver !== this.#options.driver || status?.phase !== 'Released') return
    if (spec.persistentVolumeReclaimPolicy === 'Delete')
      await this.#options.client.resource(persistentVolumes).delete(metadata.name)
  }

  async #attachment(attachment: VolumeAttachment): Promise<void> {
    const { driver, client, attachmentMetadata } = this.#options
    if (attachment.spec.attacher !== driver) return
    const { finalizers = [], deletionTimestamp, name } = attachment.metadata
    const own = client.resource(volumeAttachments)
    if (deletionTimestamp !== undefined) {
      if (finalizers.length > 0) await own.patch(name, { type: 'merge', patch: { metadata: { finalizers: [] } } })
    } else if (!finalizers.includes(finalizer(driver))) {
      await own.patch(name, { type: 'merge', patch: { metadata: { finalizers: [finalizer(driver)] } } })
    } else if (attachment.status?.attached !== true && this.attachFailure === undefined) {
      const status = { attached: true, attachmentMetadata, attachError: null }
      await own.patch(name, { type: 'merge', patch: { status } }, { subresource: 'status' })
    } else if (attachment.status?.attached !== true && attachment.status?.attachError === undefined) {
      const attachError = { time: new Date(0).toISOString(), message: this.attachFailure }
      await own.patch(name, { type: 'merge', patch: { status: { attachError } } }, { subresource: 'status' })
    }
  }
}
