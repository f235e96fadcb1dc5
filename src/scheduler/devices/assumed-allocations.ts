import { keyOf } from '#api/meta/resource.ts'
import type { AllocationResult, ResourceClaim } from '#api/types/resource.v1.ts'

interface Assumed {
  readonly allocation: AllocationResult
  /** The revision at which the claim has it, once it is written. */
  readonly writtenAt: number
}

/** Devices that claims are about to get, by `namespace/name` of the claim, until the watch shows that they have them. */
export class AssumedAllocations {
  readonly #byKey = new Map<string, Assumed>()

  assume(key: string, allocation: AllocationResult): void {
    this.#byKey.set(key, { allocation, writtenAt: Infinity })
  }

  forget(key: string): void {
    this.#byKey.delete(key)
  }

  /** What was assumed under the key is written into the claim, which may have got its name only now. */
  written(key: string, claim: ResourceClaim): void {
    const assumed = this.#byKey.get(key)
    if (!assumed) return
    this.#byKey.delete(key)
    const writtenAt = claim.status?.allocation ? Number(claim.metadata.resourceVersion) : Infinity
    this.#byKey.set(keyOf(claim), { ...assumed, writtenAt })
  }

  /** The watch shows a claim: what it has by now, or has had already, is no longer assumed. */
  saw(claim: ResourceClaim, isGone: boolean): void {
    const key = keyOf(claim)
    const assumed = this.#byKey.get(key)
    if (!assumed) return
    const isLater = Number(claim.metadata.resourceVersion) >= assumed.writtenAt
    if (isGone || isLater || claim.status?.allocation) this.#byKey.delete(key)
  }

  has(key: string): boolean {
    return this.#byKey.has(key)
  }

  get(key: string): AllocationResult | undefined {
    return this.#byKey.get(key)?.allocation
  }

  entries(): readonly (readonly [key: string, allocation: AllocationResult])[] {
    return [...this.#byKey].map(([key, { allocation }]) => [key, allocation] as const)
  }
}
