import { deviceId } from '#api/resource/v1/device-ids.ts'
import { keyOf } from '#api/meta/resource.ts'
import type { ResourceClaim } from '#api/types/resource.v1.ts'
import { LruMap } from '#lib/lru-map.ts'
import type { BindContext } from '../framework.ts'

/** How far the devices of a claim are (KEP-5007): ready to be used, being prepared, or why they cannot be had. */
export type Readiness = 'ready' | 'waiting' | { readonly problem: string }

/** What drivers say of devices that take time: all conditions must be true, and none of those that mean failure. */
export function readinessOf({ metadata, status }: ResourceClaim): Readiness {
  if (!status?.allocation) return 'waiting'
  for (const result of status.allocation.devices?.results ?? []) {
    const { bindingConditions = [], bindingFailureConditions = [] } = result
    if (bindingConditions.length === 0) continue
    const conditions = status.devices?.find((device) => deviceId(device) === deviceId(result))?.conditions
    if (!conditions) return 'waiting'
    const holds = (type: string) => conditions.find((each) => each.type === type && each.status === 'True')
    const failed = bindingFailureConditions.map(holds).find((each) => each !== undefined)
    if (failed) {
      const why = `reason=${failed.reason}, message=${JSON.stringify(failed.message)}`
      return { problem: `claim ${metadata.name} binding failed: ${why}` }
    }
    if (!bindingConditions.every(holds)) return 'waiting'
  }
  return 'ready'
}

/** Whether anything has to be waited for before pods of the claim can be bound. */
export function hasConditions({ status }: Pick<ResourceClaim, 'status'>): boolean {
  return (status?.allocation?.devices?.results ?? []).some(({ bindingConditions = [] }) => bindingConditions.length > 0)
}

const maxLateClaims = 1_000

/** Claims whose devices were waited for in vain. Given other devices they are as good as new. */
export class LateClaims {
  readonly #known = new LruMap<string, true>(maxLateClaims)

  mark(claim: ResourceClaim): void {
    this.#known.set(allocationOf(claim), true)
  }

  has(claim: ResourceClaim): boolean {
    return this.#known.get(allocationOf(claim)) !== undefined
  }
}

function allocationOf({ metadata, status }: ResourceClaim): string {
  return `${metadata.uid} ${status?.allocation?.allocationTimestamp}`
}

interface Waiting extends Pick<BindContext, 'resourceClaims' | 'clock' | 'signal'> {
  /** From when the devices were allocated. */
  readonly timeoutMs: number
  readonly late: LateClaims
}

/** Waits until the devices of all claims are ready. Rejects when they cannot be had, or not in time. */
export async function waitForDevices(
  claims: readonly ResourceClaim[],
  { resourceClaims, clock, signal, timeoutMs, late }: Waiting,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const waiting = new Set(claims.map(keyOf))
  const see = (claim: ResourceClaim): void => {
    const key = keyOf(claim)
    if (!waiting.has(key)) return
    const readiness = readinessOf(claim)
    if (typeof readiness === 'object') reject(new Error(readiness.problem))
    else if (readiness === 'ready') waiting.delete(key)
    if (waiting.size === 0) resolve()
  }
  const gone = (claim: ResourceClaim): void => {
    if (waiting.has(keyOf(claim))) reject(new Error(`claim ${claim.metadata.name} was deleted`))
  }
  const onAbort = (): void => reject(signal.reason as Error)
  const timer = clock.schedule(leftMs(claims, clock.now(), timeoutMs), () => {
    for (const claim of claims) if (waiting.has(keyOf(claim))) late.mark(claim)
    reject(new Error('device binding timeout'))
  })
  signal.addEventListener('abort', onAbort, { once: true })
  const unlisten = resourceClaims.listen({ added: see, updated: see, deleted: gone })
  for (const claim of claims) see(claim)
  try {
    await promise
  } finally {
    unlisten()
    timer.cancel()
    signal.removeEventListener('abort', onAbort)
  }
}

/** Until the claim that has had its devices for longest has waited long enough. */
function leftMs(claims: readonly ResourceClaim[], nowMs: number, timeoutMs: number): number {
  const since = claims.map(({ status }) => Date.parse(status?.allocation?.allocationTimestamp ?? '') || nowMs)
  return Math.max(Math.min(...since) + timeoutMs - nowMs, 0)
}
