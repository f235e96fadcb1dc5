import { uniqueVolumeName } from '#api/storage/v1/attachment-name.ts'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { PersistentVolumeClaim, SecretReference } from '#api/types/core.v1.ts'
import type { CSIDriver } from '#api/types/storage.v1.ts'
import { persistentVolumeClaims, secrets } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events.ts'
import { KeyedTurns } from '#lib/keyed-turns.ts'
import type { Log } from '#lib/log.ts'
import { giveToGroup } from '../volumes/group-ownership.ts'
import { isMountPoint } from '../volumes/mounts.ts'
import { VolumeStepError } from '../volumes/volume-errors.ts'
import type { VolumeOnHost, VolumeRequest, VolumeUse } from '../volumes/volume-plugin.ts'
import { publishContext } from './attachments.ts'
import type { CsiDriver, NodeCapability, VolumeUsage } from './csi-driver.ts'
import type { CsiDrivers } from './csi-drivers.ts'
import { csiPaths, type CsiPaths } from './csi-paths.ts'
import { type CsiSource, type CsiVolumeId } from './csi-source.ts'
import { growthWanted, grownStatus } from './expansion.ts'
import { publishAttributes } from './publish-attributes.ts'
import { isGivenToGroup, volumeCapability } from './volume-capability.ts'
import { VolumeRecords, type PodVolume } from './volume-records.ts'
import { releaseTarget, releaseStaging } from './release.ts'

export interface CsiVolumesOptions {
  readonly client: Client
  readonly log: Log
  readonly events: EventRecorder
  readonly drivers: CsiDrivers
  /** The kubelet's folder. */
  readonly rootDir: string
  /** `inUse` has changed: the node's status is to be written. */
  readonly onUse: () => void
}

/** Drivers that ask for it publish their volumes again about this often; expansion is looked for as often. */
const lookAgainMs = 60_000

/** Stages and publishes volumes by their CSI drivers, and lets go of them, by what is recorded on disk. */
export class CsiVolumes {
  readonly #options: CsiVolumesOptions
  readonly #paths: CsiPaths
  readonly #records: VolumeRecords
  /** One at a time for each volume: the last pod that leaves must not meet the first one that comes. */
  readonly #turns = new KeyedTurns()
  /** Volumes that this kubelet has staged; what an earlier one has staged is staged again, which changes nothing. */
  readonly #staged = new Set<string>()
  /** Pods that want or have each attachable volume, by the volume's unique name. */
  readonly #users = new Map<string, Set<string>>()

  constructor(options: CsiVolumesOptions) {
    this.#options = options
    this.#paths = csiPaths(options.rootDir)
    this.#records = new VolumeRecords(this.#paths)
  }

  /** Reads what an earlier kubelet has left, so that nothing of it is detached under a pod. */
  async recover(): Promise<void> {
    for (const { podUid, volume } of await this.#records.ofAllPods()) this.#noteUser(podUid, volume)
    for (const volume of await this.#records.allStaged()) this.#noteUser('', volume)
  }

  /** Unique names of the volumes that must not be detached from the node. */
  get inUse(): readonly string[] {
    return [...this.#users.keys()].sort()
  }

  /** Makes the volume ready for a pod. Called again when it is to be looked at anew. */
  async setUp(request: VolumeRequest, source: CsiSource): Promise<VolumeOnHost> {
    const { pod } = request
    const target = this.#paths.target(pod.metadata.uid, source)
    const isLookedAtAgain = source.lifecycle === 'Persistent'
    const onHost: VolumeOnHost = {
      hostPath: target,
      ...(source.readOnly && { readOnly: true }),
      ...(source.isBlock && { isDevice: true }),
      usage: () => this.#usageOf(source, target),
      ...(isLookedAtAgain && { refreshAtMs: request.nowMs + lookAgainMs }),
    }
    if (this.#noteUser(pod.metadata.uid, source)) this.#options.onUse()
    const isPublished = await isMountPoint(target)
    const rules = await this.#options.drivers.rulesOf(source.driver)
    const isRenewed = rules?.spec.requiresRepublish === true
    if (isPublished && !isRenewed) return onHost
    requireLifecycle(source, rules)
    const context = await this.#attach(request, source, rules)
    const driver = this.#driver(source)
    await this.#turns.run(keyOf(source), () => this.#mount({ request, source, rules, driver, context, isPublished }))
    return { ...onHost, ...(isRenewed && { refreshAtMs: request.nowMs + lookAgainMs }) }
  }

  /** Has the driver grow what it has on this node once the volume has grown, and says so in the claim. */
  async expand({ pod, signal }: VolumeRequest, source: CsiSource, claim: PersistentVolumeClaim): Promise<void> {
    const requiredBytes = growthWanted(source, claim)
    if (requiredBytes === undefined) return
    const { events, client } = this.#options
    const said = `for volume "${source.name}"`
    try {
      const driver = this.#options.drivers.get(source.driver)
      const can = await driver.capabilities()
      if (!can.has('EXPAND_VOLUME')) return
      const request = {
        volumeId: source.handle,
        volumePath: this.#paths.target(pod.metadata.uid, source),
        capacityRange: { requiredBytes: BigInt(requiredBytes) },
        ...(can.has('STAGE_UNSTAGE_VOLUME') && { stagingTargetPath: this.#paths.staging(source) }),
        volumeCapability: volumeCapability(source, can, pod),
        secrets: await this.#secret(source.expandSecret),
      }
      await driver.expand(request, signal)
      const claims = client.resource(persistentVolumeClaims, claim.metadata.namespace)
      await claims.updateStatus({ ...claim, status: grownStatus(source, claim) })
      for (const object of [pod, claim])
        events.record(object, 'Normal', 'FileSystemResizeSuccessful', `MountVolume.NodeExpandVolume succeeded ${said}`)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      events.record(pod, 'Warning', 'VolumeResizeFailed', `NodeExpandVolume.NodeExpandVolume failed ${said} : ${text}`)
    }
  }

  /** Lets go of everything that drivers have published for a pod. Throws while something is left. */
  async tearDownPod(podUid: string): Promise<void> {
    for (const each of await this.#records.ofPod(podUid)) await this.#release(each)
    for (const [name, users] of this.#users) if (users.delete(podUid) && users.size === 0) this.#users.delete(name)
    this.#options.onUse()
  }

  /** Unstages what no pod has any more: an earlier kubelet was killed between a pod's last volume and that. */
  async sweep(): Promise<void> {
    for (const volume of await this.#records.allStaged()) {
      await this.#turns
        .run(keyOf(volume), () => this.#unstageUnused(volume))
        .catch((error: unknown) => this.#options.log.warn('volume not unstaged', { volume: volume.name, error }))
    }
    this.#options.onUse()
  }

  #driver({ driver, lifecycle, isBlock }: CsiVolumeId): CsiDriver {
    try {
      return this.#options.drivers.get(driver)
    } catch (error) {
      const text = (error as Error).message
      if (isBlock) throw new Error(`kubernetes.io/csi: blockMapper.SetUpDevice failed to get CSI client: ${text}`)
      if (lifecycle === 'Ephemeral')
        throw new Error(`kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: ${text}`)
      const message = `kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: ${text}`
      throw new VolumeStepError('MountVolume.MountDevice', message)
    }
  }

  async #usageOf(source: CsiSource, target: string): Promise<VolumeUse> {
    const driver = this.#options.drivers.get(source.driver)
    if (!(await driver.capabilities()).has('GET_VOLUME_STATS')) return {}
    return volumeUse(await driver.usage(source.handle, target))
  }

  /** Answers whether the volume had no user before. */
  #noteUser(podUid: string, volume: CsiVolumeId): boolean {
    if (volume.lifecycle === 'Ephemeral') return false
    const name = uniqueVolumeName(volume)
    const users = this.#users.get(name)
    this.#users.set(name, (users ?? new Set<string>()).add(podUid))
    return users === undefined
  }

  async #attach({ node }: VolumeRequest, source: CsiSource, rules: CSIDriver | undefined): Promise<PublishContext> {
    if (source.lifecycle === 'Ephemeral' || rules?.spec.attachRequired === false) return {}
    const { client, drivers, log } = this.#options
    const onExhausted = (): void => {
      drivers.renew(source.driver).catch((error: unknown) => {
        log.warn('attach limit not renewed', { driver: source.driver, error })
      })
    }
    return publishContext({ client, node, source, onExhausted })
  }

  async #mount(mount: Mount): Promise<void> {
    const { request, source, driver, isPublished } = mount
    const { uid } = request.pod.metadata
    const can = await driver.capabilities()
    await this.#requireAlone(uid, source)
    await this.#records.addPod(uid, source)
    const isToStage = can.has('STAGE_UNSTAGE_VOLUME') && source.lifecycle === 'Persistent'
    if (!isPublished && isToStage && !this.#staged.has(keyOf(source))) {
      await this.#stage(mount, can).catch((error: unknown) => {
        const step = source.isBlock ? 'MapVolume.SetUpDevice' : 'MountVolume.MountDevice'
        throw new VolumeStepError(step, error instanceof Error ? error.message : String(error))
      })
      this.#staged.add(keyOf(source))
    }
    await this.#publish(mount, can).catch((error: unknown) => {
      if (!source.isBlock) throw error
      throw new VolumeStepError('MapVolume.MapPodDevice', error instanceof Error ? error.message : String(error))
    })
    const policy = mount.rules?.spec.fsGroupPolicy ?? 'ReadWriteOnceWithFSType'
    if (!isPublished && isGivenToGroup(source, policy, can))
      await giveToGroup(request.pod, this.#paths.target(uid, source))
  }

  /** `ReadWriteOncePod` holds on the node too, for pods that no scheduler has seen (KEP-2485). */
  async #requireAlone(podUid: string, source: CsiSource): Promise<void> {
    if (!source.accessModes.includes('ReadWriteOncePod')) return
    const key = keyOf(source)
    const others = (await this.#records.ofAllPods()).filter((other) => keyOf(other.volume) === key)
    if (others.some((other) => other.podUid !== podUid))
      throw new Error('volume uses the ReadWriteOncePod access mode and is already in use by another pod')
  }

  async #stage({ source, driver, context, request }: Mount, can: ReadonlySet<NodeCapability>): Promise<void> {
    const path = this.#paths.staging(source)
    await this.#records.addStaged(source)
    await mkdir(path, { recursive: true, mode: 0o750 })
    const call = {
      volumeId: source.handle,
      publishContext: { ...context },
      stagingTargetPath: path,
      volumeCapability: volumeCapability(source, can, request.pod),
      secrets: await this.#secret(source.stageSecret),
      volumeContext: { ...source.attributes },
    }
    await driver.stage(call, request.signal)
  }

  async #publish(mount: Mount, can: ReadonlySet<NodeCapability>): Promise<void> {
    const { request, source, driver, rules, context } = mount
    const target = this.#paths.target(request.pod.metadata.uid, source)
    const isStaged = can.has('STAGE_UNSTAGE_VOLUME') && source.lifecycle === 'Persistent'
    const told = await publishAttributes(request, source, rules)
    // The driver makes the last part of the path itself.
    await mkdir(dirname(target), { recursive: true, mode: 0o750 })
    const call = {
      volumeId: source.handle,
      publishContext: { ...context },
      ...(isStaged && { stagingTargetPath: this.#paths.staging(source) }),
      targetPath: target,
      volumeCapability: volumeCapability(source, can, request.pod),
      readonly: source.readOnly,
      secrets: { ...(await this.#secret(source.publishSecret)), ...told.secrets },
      volumeContext: { ...source.attributes, ...told.context },
    }
    await driver.publish(call, request.signal)
  }

  async #secret(reference: SecretReference | undefined): Promise<Record<string, string>> {
    const { name = '', namespace = '' } = reference ?? {}
    if (name === '') return {}
    const { data = {} } = await this.#options.client.resource(secrets, namespace).get(name)
    const plain = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')])
    return Object.fromEntries(plain) as Record<string, string>
  }

  #release({ podUid, volume }: PodVolume): Promise<void> {
    return this.#turns.run(keyOf(volume), async () => {
      const driver = this.#options.drivers.get(volume.driver)
      await releaseTarget(driver, volume, this.#paths.target(podUid, volume))
      await this.#records.removePod(podUid, volume)
      this.#users.get(uniqueVolumeName(volume))?.delete(podUid)
      await this.#unstageUnused(volume)
    })
  }

  async #unstageUnused(volume: CsiVolumeId): Promise<void> {
    const key = keyOf(volume)
    const isUsed = (await this.#records.ofAllPods()).some((other) => keyOf(other.volume) === key)
    if (isUsed) return
    this.#staged.delete(key)
    if (await this.#records.isStaged(volume)) {
      await releaseStaging(this.#options.drivers.get(volume.driver), volume, this.#paths.staging(volume))
      await this.#records.removeStaged(volume)
    }
    const name = uniqueVolumeName(volume)
    const users = this.#users.get(name)
    users?.delete('')
    if (users?.size === 0) this.#users.delete(name)
  }
}

function volumeUse(usages: readonly VolumeUsage[]): VolumeUse {
  const bytes = usages.find(({ unit }) => unit === 'bytes')
  const inodes = usages.find(({ unit }) => unit === 'inodes')
  return {
    ...(bytes && { capacityBytes: bytes.total, availableBytes: bytes.available, usedBytes: bytes.used }),
    ...(inodes && { inodes: inodes.total, inodesFree: inodes.available, inodesUsed: inodes.used }),
  }
}

type PublishContext = Readonly<Record<string, string>>

interface Mount {
  readonly request: VolumeRequest
  readonly source: CsiSource
  readonly rules: CSIDriver | undefined
  readonly driver: CsiDriver
  readonly context: PublishContext
  /** The pod has it already, and it is only to be renewed. */
  readonly isPublished: boolean
}

function keyOf({ driver, handle }: CsiVolumeId): string {
  return `${driver}^${handle}`
}

/** A driver must say that it can serve inline volumes, and may say that it serves nothing else. */
function requireLifecycle({ driver, lifecycle }: CsiSource, rules: CSIDriver | undefined): void {
  const modes = rules?.spec.volumeLifecycleModes ?? ['Persistent']
  if (modes.includes(lifecycle)) return
  const given = rules === undefined ? 'no CSIDriver object' : `only supports ${JSON.stringify(modes)}`
  throw new VolumeStepError(
    'MountVolume.NewMounter initialization',
    `volume mode "${lifecycle}" not supported by driver ${driver} (${given})`,
  )
}
