import { tolerates } from '#api/core/v1/node-facts.ts'
import { keyOf } from '#api/meta/resource.ts'
import { maxResults } from '#api/resource/v1/device-limits.ts'
import type { Taint, Toleration } from '#api/types/core.v1.ts'
import type {
  DeviceClass,
  DeviceRequest,
  DeviceSubRequest,
  ExactDeviceRequest,
  ResourceClaim,
} from '#api/types/resource.v1.ts'
import { ClaimConstraint } from './claim-constraints.ts'
import { consumedCapacity, type Amounts } from './consumed-capacity.ts'
import type { OfferedDevice } from './device-pools.ts'
import type { DeviceSelectors } from './device-selector.ts'
import type { DeviceUse } from './device-use.ts'

/** One device given to one request. */
export interface ChosenDevice {
  readonly claim: ResourceClaim
  /** The request's name, with that of the alternative that was taken: `gpu/large`. */
  readonly request: string
  readonly offered: OfferedDevice
  readonly details: ExactDeviceRequest | DeviceSubRequest
  /** How much of it, where others can have the rest. */
  readonly amounts: Amounts | undefined
}

interface Allocating {
  /** Of one node. */
  readonly devices: readonly OfferedDevice[]
  /** Why not all devices of the node are known. */
  readonly problem: string | undefined
  readonly use: DeviceUse
  readonly classes: (name: string) => DeviceClass | undefined
  readonly selectors: DeviceSelectors
}

interface Wanted {
  readonly claim: ResourceClaim
  readonly constraints: readonly ClaimConstraint[]
  /** In the order of preference. */
  readonly alternatives: readonly Alternative[]
}

interface Alternative {
  readonly request: string
  readonly details: ExactDeviceRequest | DeviceSubRequest
  /** All devices that the class, the selectors and the amounts choose, free or not. */
  readonly suitable: readonly Suitable[]
}

interface Suitable {
  readonly offered: OfferedDevice
  readonly isTainted: boolean
  readonly amounts: Amounts | undefined
}

/** Tries before a node is given up: the search is exponential in the worst case. */
const maxSteps = 100_000

/**
 * Finds devices on one node for all requests of all claims at once, or nothing. It goes through the requests in order
 * and goes back to an earlier one where a later one finds nothing, so that it finds an answer if there is one. Leaves
 * `use` as it was. Throws with the reason where a request cannot be judged.
 */
export function allocateClaims(
  claims: readonly ResourceClaim[],
  allocating: Allocating,
): readonly ChosenDevice[] | undefined {
  const wanted = claims.flatMap((claim) => {
    const constraints = (claim.spec.devices?.constraints ?? []).map((each) => new ClaimConstraint(each))
    return (claim.spec.devices?.requests ?? []).map((request): Wanted => ({
      claim,
      constraints,
      alternatives: alternativesOf(claim, request, allocating),
    }))
  })
  return new Search(wanted, allocating.use).run()
}

function alternativesOf(claim: ResourceClaim, request: DeviceRequest, allocating: Allocating): readonly Alternative[] {
  const { name, exactly, firstAvailable } = request
  const given = exactly
    ? [{ request: name, details: exactly }]
    : (firstAvailable ?? []).map((details) => ({ request: `${name}/${details.name}`, details }))
  return given.map((each) => {
    if (each.details.allocationMode === 'All' && allocating.problem !== undefined) {
      throw new Error(`claim ${keyOf(claim)}, request ${each.request}: asks for all devices, but ${allocating.problem}`)
    }
    return { ...each, suitable: suitableFor(claim, each.details, allocating) }
  })
}

function suitableFor(
  claim: ResourceClaim,
  details: Alternative['details'],
  { devices, classes, selectors: asked }: Allocating,
): readonly Suitable[] {
  const deviceClass = classes(details.deviceClassName)
  if (!deviceClass) return []
  return devices.flatMap((offered) => {
    const { driver, device } = offered
    try {
      const isMeant =
        asked.matches(deviceClass.spec.selectors, driver, device) && asked.matches(details.selectors, driver, device)
      const amounts = isMeant ? consumedCapacity(device, driver, details.capacity) : undefined
      if (!amounts) return []
      const isShared = device.allowMultipleAllocations === true
      return { offered, isTainted: isTainted(offered, details), amounts: isShared ? amounts : undefined }
    } catch (error) {
      throw new Error(`claim ${keyOf(claim)}: ${(error as Error).message}`, { cause: error })
    }
  })
}

function isTainted({ device }: OfferedDevice, { tolerations }: Alternative['details']): boolean {
  return (device.taints ?? []).some(
    (taint) =>
      taint.effect !== 'None' &&
      // Tolerations of devices read as those of nodes do.
      !tolerations?.some((toleration) => tolerates(toleration as Toleration, taint as Taint)),
  )
}

class Search {
  readonly #wanted: readonly Wanted[]
  readonly #use: DeviceUse
  readonly #chosen: ChosenDevice[] = []
  /** Takes back all that was taken, the last first. */
  readonly #undo: (() => void)[] = []
  #steps = 0

  constructor(wanted: readonly Wanted[], use: DeviceUse) {
    this.#wanted = wanted
    this.#use = use
  }

  run(): readonly ChosenDevice[] | undefined {
    const isDone = this.#from(0)
    const chosen = [...this.#chosen]
    this.#backTo(0)
    if (!isDone && this.#steps > maxSteps) throw new Error('timed out trying to allocate devices')
    return isDone ? chosen : undefined
  }

  #from(index: number): boolean {
    const wanted = this.#wanted[index]
    if (!wanted) return true
    return wanted.alternatives.some((alternative) => {
      const { suitable, details } = alternative
      const all = details.allocationMode === 'All'
      // All means all: one that others have, or that is tainted, spoils it. There must be some.
      if (all && suitable.length === 0) return false
      const count = all ? suitable.length : (details.count ?? 1)
      return this.#pick({ index, wanted, alternative, all, left: count, at: 0 })
    })
  }

  #pick(step: PickStep): boolean {
    const { index, wanted, alternative, all, left, at } = step
    if (left === 0) return this.#from(index + 1)
    const { suitable } = alternative
    const canRepeat = suitable.some(({ amounts }) => amounts !== undefined)
    const end = all ? at + 1 : canRepeat ? suitable.length : suitable.length - left + 1
    for (let next = at; next < end; next++) {
      if (++this.#steps > maxSteps) return false
      const before = this.#undo.length
      const each = suitable[next] as Suitable
      if (this.#take(wanted, alternative, each)) {
        // A device that is shared can serve one request more than once.
        const after = each.amounts && !all ? next : next + 1
        if (this.#pick({ ...step, left: left - 1, at: after })) return true
      }
      this.#backTo(before)
    }
    return false
  }

  /** Gives the device to the request, if it is free and all constraints hold. */
  #take({ claim, constraints }: Wanted, { request, details }: Alternative, suitable: Suitable): boolean {
    const { offered, isTainted: keepsAway, amounts } = suitable
    const isAdmin = 'adminAccess' in details && details.adminAccess === true
    if (keepsAway || (!isAdmin && !this.#use.isFree(offered, amounts))) return false
    if (this.#chosen.filter((each) => each.claim === claim).length >= maxResults) return false
    for (const constraint of constraints) {
      const back = constraint.add(request, offered)
      if (!back) return false
      this.#undo.push(back)
    }
    if (!isAdmin) this.#undo.push(this.#use.take(offered, amounts))
    this.#chosen.push({ claim, request, offered, details, amounts })
    this.#undo.push(() => void this.#chosen.pop())
    return true
  }

  #backTo(length: number): void {
    while (this.#undo.length > length) this.#undo.pop()?.()
  }
}

interface PickStep {
  readonly index: number
  readonly wanted: Wanted
  readonly alternative: Alternative
  readonly all: boolean
  readonly left: number
  readonly at: number
}
