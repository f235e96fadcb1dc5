import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { dataFile, type CsiPaths } from './csi-paths.ts'
import type { CsiVolumeId } from './csi-source.ts'

/** A volume that is, or was about to be, published for a pod. */
export interface PodVolume {
  readonly podUid: string
  readonly volume: CsiVolumeId
}

/**
 * What the kubelet knows on disk of the volumes of CSI drivers. The disk alone tells what is to be let go of, so that a
 * kubelet that was killed at any moment finds everything again.
 */
export class VolumeRecords {
  readonly #paths: CsiPaths

  constructor(paths: CsiPaths) {
    this.#paths = paths
  }

  /** To be written before the driver is asked to publish. */
  async addPod(podUid: string, volume: CsiVolumeId): Promise<void> {
    await writeRecord(this.#paths.podRecord(podUid, volume), volume)
  }

  async removePod(podUid: string, volume: CsiVolumeId): Promise<void> {
    await rm(dirname(this.#paths.podRecord(podUid, volume)), { recursive: true, force: true })
  }

  /** To be written before the driver is asked to stage. */
  async addStaged(volume: CsiVolumeId): Promise<void> {
    await writeRecord(this.#paths.stagingRecord(volume), volume)
  }

  async removeStaged(volume: CsiVolumeId): Promise<void> {
    await rm(dirname(this.#paths.stagingRecord(volume)), { recursive: true, force: true })
  }

  /** The volumes of one pod. */
  async ofPod(podUid: string): Promise<readonly PodVolume[]> {
    const folders = [this.#paths.podMounts(podUid), this.#paths.podDevices(podUid)]
    const records = (await Promise.all(folders.map(recordsBelow))).flat()
    return records.map((volume) => ({ podUid, volume }))
  }

  /** The volumes of all pods. */
  async ofAllPods(): Promise<readonly PodVolume[]> {
    const uids = await namesIn(this.#paths.podsDir)
    return (await Promise.all(uids.map((uid) => this.ofPod(uid)))).flat()
  }

  async isStaged(volume: CsiVolumeId): Promise<boolean> {
    return (await readRecord(this.#paths.stagingRecord(volume))) !== undefined
  }

  /** Everything that is, or was about to be, staged. */
  async allStaged(): Promise<readonly CsiVolumeId[]> {
    const drivers = (await namesIn(this.#paths.stagingDir)).filter((name) => name !== 'volumeDevices')
    return (await Promise.all(drivers.map((driver) => recordsBelow(join(this.#paths.stagingDir, driver))))).flat()
  }
}

/** The record of each folder below `folder` that has one. */
async function recordsBelow(folder: string): Promise<CsiVolumeId[]> {
  const found = await Promise.all((await namesIn(folder)).map((name) => readRecord(join(folder, name, dataFile))))
  return found.filter((record) => record !== undefined)
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}

async function writeRecord(path: string, volume: CsiVolumeId): Promise<void> {
  const { name, driver, handle, lifecycle, isBlock } = volume
  const data = {
    specVolID: name,
    driverName: driver,
    volumeHandle: handle,
    volumeLifecycleMode: lifecycle,
    isBlock: String(isBlock),
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o750 })
  // Whoever reads it after a crash must find all of it or nothing.
  await writeFile(`${path}.new`, JSON.stringify(data))
  await rename(`${path}.new`, path)
}

async function readRecord(path: string): Promise<CsiVolumeId | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const data = JSON.parse(text) as Record<string, string | undefined>
  return {
    name: data['specVolID'] ?? '',
    driver: data['driverName'] ?? '',
    handle: data['volumeHandle'] ?? '',
    lifecycle: data['volumeLifecycleMode'] === 'Ephemeral' ? 'Ephemeral' : 'Persistent',
    isBlock: data['isBlock'] === 'true',
  }
}
