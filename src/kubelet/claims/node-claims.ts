import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deviceId } from '#api/resource/v1/device-ids.ts'
import type { Container, Pod, ResourceStatus } from '#api/types/core.v1.ts'
import { resourceClaims } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import { KeyedTurns } from '#lib/keyed-turns.ts'
import { noGrants, type ContainerGrants } from '../devices/container-grants.ts'
import { ClaimLedger, type PreparedClaim } from './claim-ledger.ts'
import type { DraDrivers } from './dra-drivers.ts'
import type { PreparedDevice } from './dra-driver.ts'
import { claimsOf, driversOf, requestsOf, requireUsable } from './pod-claims.ts'

export interface NodeClaimsOptions {
  readonly client: Client
  readonly drivers: DraDrivers
  /** The kubelet's folder. */
  readonly rootDir: string
}

/**
 * The resource claims of the node's pods (KEP-4381): their drivers make the devices ready before the pod's sandbox is
 * made, and are told when the last pod that used a claim is gone.
 */
export class NodeClaims {
  readonly #options: NodeClaimsOptions
  readonly #turns = new KeyedTurns()
  #ledger = ClaimLedger.empty()

  constructor(options: NodeClaimsOptions) {
    this.#options = options
  }

  async load(): Promise<void> {
    const text = await readFile(this.#file, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    })
    if (text !== undefined) this.#ledger = ClaimLedger.parse(text)
  }

  /** Makes all claims of a pod ready; to be called again after it has thrown. */
  async prepare(pod: Pod): Promise<void> {
    for (const { reference, claimName } of claimsOf(pod)) {
      if (claimName === null) continue
      if (claimName === undefined) throw new Error(`resource claim for ${reference} has not been created yet`)
      await this.#turns.run('claims', () => this.#prepareOne(pod, claimName))
    }
  }

  /** The devices that a container asks for of the pod's claims. */
  grant(pod: Pod, container: Container): ContainerGrants {
    const wanted = requestsOf(pod, container)
    if (wanted.length === 0) return noGrants
    const cdiDevices = wanted.flatMap(({ claimName, request }) => {
      const prepared = this.#ledger.ofPod(pod.metadata.uid).find((claim) => claim.name === claimName)
      if (prepared === undefined) throw new Error(`resource claim ${claimName} has not been prepared`)
      const devices = Object.values(prepared.drivers).flat()
      return devices.filter((device) => isOf(device, request)).flatMap((device) => device.cdiDevices)
    })
    return { ...noGrants, cdiDevices: [...new Set(cdiDevices)] }
  }

  /** How the devices are that a container has of the pod's claims, by the names under which it asks for them. */
  health(pod: Pod, container: Container): readonly ResourceStatus[] {
    const prepared = this.#ledger.ofPod(pod.metadata.uid)
    return (container.resources?.claims ?? []).flatMap(({ name, request }) => {
      const claimName = claimsOf(pod).find(({ reference }) => reference === name)?.claimName
      const drivers = Object.entries(prepared.find((claim) => claim.name === claimName)?.drivers ?? {})
      const resources = drivers.flatMap(([driver, devices]) =>
        devices
          .filter((device) => isOf(device, request))
          .map(({ pool, device, cdiDevices }) => ({
            resourceID: cdiDevices[0] ?? deviceId({ driver, pool, device }),
            health: this.#options.drivers.health.of(driver, pool, device),
          })),
      )
      return resources.length === 0 ? [] : [{ name: `claim:${name}${request ? `/${request}` : ''}`, resources }]
    })
  }

  /** The pod needs its claims no more. Throws when a driver does not let go; to be called again then. */
  async release(podUid: string): Promise<void> {
    for (const claim of this.#ledger.ofPod(podUid)) {
      await this.#turns.run('claims', () => this.#releaseOne(claim.uid, podUid))
    }
  }

  /** Releases what pods have that are not on this node any more. */
  async sweep(present: ReadonlySet<string>): Promise<void> {
    for (const podUid of this.#ledger.podUids()) if (!present.has(podUid)) await this.release(podUid)
  }

  get #file(): string {
    return join(this.#options.rootDir, 'dra_manager_state')
  }

  async #prepareOne(pod: Pod, claimName: string): Promise<void> {
    const { client, drivers } = this.#options
    const { namespace = '', uid: podUid } = pod.metadata
    const claim = await client.resource(resourceClaims, namespace).get(claimName)
    requireUsable(pod, claim)
    const { uid } = claim.metadata
    const known = this.#ledger.get(uid)
    const names = driversOf(claim)
    const noted: PreparedClaim = {
      ...{ namespace, uid, name: claimName },
      podUids: [...new Set([...(known?.podUids ?? []), podUid])],
      drivers: { ...Object.fromEntries(names.map((name) => [name, []])), ...known?.drivers },
    }
    await this.#note(noted)
    const prepared: Record<string, readonly PreparedDevice[]> = {}
    for (const name of names) prepared[name] = await drivers.get(name).prepare({ namespace, uid, name: claimName })
    await this.#note({ ...noted, drivers: prepared })
  }

  async #releaseOne(uid: string, podUid: string): Promise<void> {
    const claim = this.#ledger.get(uid)
    if (claim === undefined) return
    const podUids = claim.podUids.filter((each) => each !== podUid)
    if (podUids.length > 0) return this.#note({ ...claim, podUids })
    const { namespace, name } = claim
    for (const driver of Object.keys(claim.drivers)) {
      await this.#options.drivers.get(driver).unprepare({ namespace, name, uid })
    }
    this.#ledger.remove(uid)
    await this.#save()
  }

  async #note(claim: PreparedClaim): Promise<void> {
    this.#ledger.put(claim)
    await this.#save()
  }

  /** A crash leaves the old file or the new one. */
  async #save(): Promise<void> {
    const file = `${this.#file}.new`
    await writeFile(file, this.#ledger.toText(), { mode: 0o600, flush: true })
    await rename(file, this.#file)
  }
}

/** Devices without requests count for all of them; a request of alternatives is named before the slash. */
function isOf({ requests }: PreparedDevice, wanted: string | undefined): boolean {
  if (wanted === undefined || requests.length === 0) return true
  return requests.some((request) => request === wanted || request.startsWith(`${wanted}/`))
}
