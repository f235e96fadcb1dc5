import { keyOf } from '#api/meta/resource.ts'
import type { Node, PersistentVolumeClaim } from '#api/types/core.v1.ts'
import { persistentVolumeClaims, persistentVolumes } from '#api/types/resources.ts'
import type { BindContext } from '../framework.ts'
import type { ClaimPlan } from './match-volumes.ts'
import { isFullyBound, selectedNodeAnnotation } from './pod-claims.ts'

export interface ClaimBinding extends BindContext {
  /** How long to wait for volumes to be made. */
  readonly timeoutMs: number
}

/** Says in the API which volume or node each claim is to have, and waits until all of them are bound. */
export async function bindClaims(plans: readonly ClaimPlan[], node: Node, context: ClaimBinding): Promise<void> {
  const bound = allBound(
    plans.map(({ claim }) => claim),
    node,
    context,
  )
  // Should a write fail, nobody waits any more; the failure is what counts.
  bound.promise.catch(() => undefined)
  try {
    await Promise.all(plans.map((plan) => announce(plan, node, context)))
    bound.start()
    await bound.promise
  } finally {
    bound.stop()
  }
}

async function announce(plan: ClaimPlan, node: Node, { client }: BindContext): Promise<void> {
  const { name, namespace = '', uid, resourceVersion } = plan.claim.metadata
  if ('provision' in plan) {
    const metadata = { uid, annotations: { [selectedNodeAnnotation]: node.metadata.name } }
    await client.resource(persistentVolumeClaims, namespace).patch(name, { type: 'merge', patch: { metadata } })
    return
  }
  const { metadata, spec } = plan.volume
  if (spec.claimRef?.uid === uid) return
  const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion }
  const patch = {
    // Another pod may want the same volume: the second one to write gets a conflict and tries anew.
    metadata: {
      resourceVersion: metadata.resourceVersion,
      annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' },
    },
    spec: { claimRef },
  }
  await client.resource(persistentVolumes).patch(metadata.name, { type: 'merge', patch })
}

function allBound(
  wanted: readonly PersistentVolumeClaim[],
  node: Node,
  { claims, clock, signal, timeoutMs }: ClaimBinding,
) {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const missing = new Set(wanted.map(keyOf))
  const chosen = new Set<string>()
  const see = (claim: PersistentVolumeClaim): void => {
    const key = keyOf(claim)
    if (!missing.has(key)) return
    const selected = claim.metadata.annotations?.[selectedNodeAnnotation]
    if (isFullyBound(claim)) missing.delete(key)
    else if (selected === node.metadata.name) chosen.add(key)
    else if (chosen.has(key)) reject(new Error(`provisioning failed for PVC "${claim.metadata.name}"`))
    if (missing.size === 0) resolve()
  }
  const gone = (claim: PersistentVolumeClaim): void => {
    if (missing.has(keyOf(claim))) reject(new Error(`PVC "${claim.metadata.name}" was deleted while it was bound`))
  }
  const onAbort = (): void => reject(signal.reason as Error)
  let undo: (() => void)[] = []
  return {
    promise,
    start(): void {
      const timer = clock.schedule(timeoutMs, () => reject(new Error('timed out waiting for volumes to be bound')))
      signal.addEventListener('abort', onAbort, { once: true })
      const unlisten = claims.listen({ added: see, updated: see, deleted: gone })
      undo = [unlisten, () => timer.cancel(), () => signal.removeEventListener('abort', onAbort)]
    },
    stop(): void {
      for (const each of undo) each()
    },
  }
}
