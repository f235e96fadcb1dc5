import { tolerates } from '#api/core/v1/node-facts.ts'
import { keyOf } from '#api/meta/resource.ts'
import type { Taint, Toleration } from '#api/types/core.v1.ts'
import type {
  DeviceClass,
  DeviceRequest,
  DeviceSubRequest,
  ExactDeviceRequest,
  ResourceClaim,
} from '#api/types/resource.v1.ts'
import { ClaimConstraint } from './claim-constraints.ts'
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
}

interface Allocating {
  /** Of one node. */
  readonly devices: readonly OfferedDevice[]
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
  /** All devices that the class and the selectors choose and whose taints are tolerated, free or not. */
  readonly suitable: readonly OfferedDevice[]
}

/** Tries before a node is given up: the search is exponential in the worst case. */
const maxSteps = 100_000
/** Devices that one claim can hold (resource.k8s.io/v1). */
const maxDevicesOfClaim = 32

/**
 * Finds devices on one node for all requests of all claims at once, or nothing. It goes through the requests in order
 * and goes back to an earlier one where a later one finds nothing, so that it finds an answer if there is one.
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
  return given.map((each) => ({ ...each, suitable: suitableFor(claim, each.details, allocating) }))
}

function suitableFor(
  claim: ResourceClaim,
  { deviceClassName, selectors, tolerations }: Alternative['details'],
  { devices, classes, selectors: asked }: Allocating,
): readonly OfferedDevice[] {
  const deviceClass = classes(deviceClassName)
  if (!deviceClass) return []
  return devices.filter(({ driver, device }) => {
    const keepsAway = device.taints?.some(
      (taint) =>
        taint.effect !== 'None' &&
        // Tolerations of devices read as those of nodes do.
        !tolerations?.some((toleration) => tolerates(toleration as Toleration, taint as Taint)),
    )
    if (keepsAway === true || (device.bindingConditions ?? []).length > 0) return false
    try {
      return asked.matches(deviceClass.spec.selectors, driver, device) && asked.matches(selectors, driver, device)
    } catch (error) {
      throw new Error(`claim ${keyOf(claim)}: ${(error as Error).message}`, { cause: error })
    }
  })
}

class Search {
  readonly #wanted: readonly Wanted[]
  readonly #use: DeviceUse
  readonly #chosen: ChosenDevice[] = []
  #steps = 0

  constructor(wanted: readonly Wanted[], use: DeviceUse) {
    this.#wanted = wanted
    this.#use = use
  }

  run(): readonly ChosenDevice[] | undefined {
    return this.#from(0) ? this.#chosen : undefined
  }

  #from(index: number): boolean {
    const wanted = this.#wanted[index]
    if (!wanted) return true
    return wanted.alternatives.some((alternative) => {
      const { suitable, details } = alternative
      const all = details.allocationMode === 'All'
      // All means all: one that others have spoils it. There must be some.
      if (all && suitable.length === 0) return false
      const count = all ? suitable.length : (details.count ?? 1)
      return this.#pick({ index, wanted, alternative, left: count, at: 0 })
    })
  }

  #pick(step: PickStep): boolean {
    const { index, wanted, alternative, left, at } = step
    if (left === 0) return this.#from(index + 1)
    const { suitable } = alternative
    for (let next = at; next + left <= suitable.length; next++) {
      if (++this.#steps > maxSteps) return false
      const undo = this.#take(wanted, alternative, suitable[next] as OfferedDevice)
      if (!undo) continue
      if (this.#pick({ ...step, left: left - 1, at: next + 1 })) return true
      undo()
    }
    return false
  }

  /** Gives the device to the request, if it is free and all constraints hold; the answer takes it back. */
  #take({ claim, constraints }: Wanted, { request, details }: Alternative, offered: OfferedDevice) {
    const isAdmin = 'adminAccess' in details && details.adminAccess === true
    if (!isAdmin && !this.#use.isFree(offered)) return undefined
    if (this.#chosen.filter((each) => each.claim === claim).length >= maxDevicesOfClaim) return undefined
    const undone: (() => void)[] = []
    const undo = (): void => {
      for (const each of undone.toReversed()) each()
    }
    for (const constraint of constraints) {
      const back = constraint.add(request, offered)
      if (!back) {
        undo()
        return undefined
      }
      undone.push(back)
    }
    if (!isAdmin) undone.push(this.#use.take(offered))
    this.#chosen.push({ claim, request, offered, details })
    undone.push(() => void this.#chosen.pop())
    return undo
  }
}

interface PickStep {
  readonly index: number
  readonly wanted: Wanted
  readonly alternative: Alternative
  readonly left: number
  readonly at: number
}
