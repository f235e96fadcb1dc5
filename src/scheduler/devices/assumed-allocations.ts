import { keyOf, splitKey } from '#api/meta/resource.ts'
import type { AllocationResult, ResourceClaim } from '#api/types/resource.v1.ts'
import type { Lister } from '#client/informer.ts'

interface Assumed {
  readonly allocation: AllocationResult
  /** Whether the watch has shown the claim: one that was known and is gone needs its devices no more. */
  isKnown: boolean
}

/** Devices that claims are about to get, by `namespace/name` of the claim, until the watch shows that they have them. */
export class AssumedAllocations {
  readonly #byKey = new Map<string, Assumed>()

  assume(key: string, allocation: AllocationResult): void {
    this.#byKey.set(key, { allocation, isKnown: false })
  }

  forget(key: string): void {
    this.#byKey.delete(key)
  }

  /** The claim has been made, under a name that was not known before. */
  rename(key: string, claim: ResourceClaim): void {
    const assumed = this.#byKey.get(key)
    if (!assumed) return
    this.#byKey.delete(key)
    this.assume(keyOf(claim), assumed.allocation)
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

  /** Forgets what the watch shows by now. */
  confirm(claims: Lister<ResourceClaim>): void {
    for (const [key, assumed] of this.#byKey) {
      const { namespace, name } = splitKey(key)
      const claim = claims.get(name, namespace)
      if (claim?.status?.allocation || (!claim && assumed.isKnown)) this.#byKey.delete(key)
      else if (claim) assumed.isKnown = true
    }
  }
}
