import { keyOf } from '#api/meta/resource.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { AllocationResult, ResourceClaim } from '#api/types/resource.v1.ts'
import type { BindContext } from '../framework.ts'
import type { AssumedAllocations } from './assumed-allocations.ts'
import { hasConditions, waitForDevices, type LateClaims } from './binding-conditions.ts'
import { createExtendedClaim, tellOfExtendedClaim, type ExtendedClaim } from './extended-claim.ts'
import { isReservedFor } from './pod-resource-claims.ts'
import { reserveClaim } from './reserve-claims.ts'

export interface DeviceBinding {
  readonly pod: Pod
  readonly claims: readonly ResourceClaim[]
  /** What was chosen on the node, where anything was missing. */
  readonly found:
    | { readonly allocations: ReadonlyMap<string, AllocationResult>; readonly extended: ExtendedClaim | undefined }
    | undefined
  readonly assumed: AssumedAllocations
  readonly bindingTimeoutMs: number
  readonly late: LateClaims
}

/** Writes into the pod's claims what they get and that the pod uses them, and waits until the devices are ready. */
export async function bindDevices(binding: DeviceBinding, nodeName: string, context: BindContext): Promise<void> {
  const { pod, claims, found, bindingTimeoutMs, late } = binding
  const written = await Promise.all(
    claims.map(async (claim) => (isReservedFor(claim, pod) ? claim : reserve(claim, keyOf(claim), binding, context))),
  )
  const extended = found?.extended ? await bindExtended(binding, found.extended, context) : undefined
  const slow = (extended ? [...written, extended] : written).filter(hasConditions)
  if (slow.length === 0) return
  const message = `waiting for binding conditions for device on node ${nodeName}`
  context.events.record(pod, 'Normal', 'BindingConditionsPending', message)
  await waitForDevices(slow, { ...context, timeoutMs: bindingTimeoutMs, late })
}

/** `key`: as the claim was known when its devices were chosen. */
async function reserve(
  claim: ResourceClaim,
  key: string,
  { pod, found, assumed }: DeviceBinding,
  context: BindContext,
): Promise<ResourceClaim> {
  const written = await reserveClaim(pod, claim, found?.allocations.get(key), context)
  assumed.written(keyOf(claim), written)
  return written
}

async function bindExtended(
  binding: DeviceBinding,
  extended: ExtendedClaim,
  context: BindContext,
): Promise<ResourceClaim> {
  const { pod, assumed } = binding
  const key = keyOf(extended.claim)
  const made = await createExtendedClaim(pod, extended, context.client)
  assumed.written(key, made)
  const written = await reserve(made, key, binding, context)
  await tellOfExtendedClaim(pod, made.metadata.name, extended, context.client)
  return written
}
