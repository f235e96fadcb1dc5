import { isPodAvailable, isPodReady, isPodTerminal } from '#api/core/v1/pod-facts.ts'
import { scaledValue } from '#api/meta/int-or-string.ts'
import type { StatefulSet, StatefulSetStatus } from '#api/types/apps.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { firstOrdinal, ordinalOf, revisionNameOf } from './identity.ts'

export interface StatefulView {
  readonly set: StatefulSet
  readonly pods: readonly Pod[]
  /** Names of the revisions: the one all pods had when the last update was complete, and the present one. */
  readonly currentRevision: string
  readonly updateRevision: string
  readonly nowMs: number
}

export interface StatefulChanges {
  readonly create: readonly { readonly ordinal: number; readonly revision: string }[]
  readonly delete: readonly Pod[]
}

interface Slot {
  readonly ordinal: number
  readonly pod: Pod | undefined
}

/**
 * The next step. In order, the set grows from the lowest ordinal and shrinks from the highest, one pod at a time, and
 * nothing happens while a pod before is not available; `Parallel` sets do all at once. Updates always go from the
 * highest ordinal, one by one unless `maxUnavailable` lets more go together.
 */
export function decideStep(view: StatefulView): StatefulChanges {
  const { set } = view
  if (set.metadata.deletionTimestamp !== undefined) return { create: [], delete: [] }
  const slots = slotsOf(view)
  const isParallel = set.spec.podManagementPolicy === 'Parallel'
  const grown = isParallel ? growAtOnce(view, slots) : growInOrder(view, slots)
  if (grown !== undefined) return grown
  const condemned = condemnedOf(view)
  if (isParallel && condemned.some(isStaying)) return { create: [], delete: condemned.filter(isStaying) }
  if (!isParallel && condemned.length > 0) return { create: [], delete: shrinkInOrder(view, slots, condemned) }
  return { create: [], delete: updateFromTop(view, slots) }
}

function slotsOf({ set, pods }: StatefulView): readonly Slot[] {
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod), pod]))
  return Array.from({ length: set.spec.replicas ?? 1 }, (_, index) => {
    const ordinal = firstOrdinal(set) + index
    return { ordinal, pod: byOrdinal.get(ordinal) }
  })
}

/** Pods whose ordinals the set no longer has, highest first. */
function condemnedOf({ set, pods }: StatefulView): readonly Pod[] {
  const end = firstOrdinal(set) + (set.spec.replicas ?? 1)
  const outside = pods.filter((pod) => {
    const ordinal = ordinalOf(set, pod)
    return ordinal !== undefined && (ordinal < firstOrdinal(set) || ordinal >= end)
  })
  return outside.toSorted((a, b) => (ordinalOf(set, b) ?? 0) - (ordinalOf(set, a) ?? 0))
}

function isStaying({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp === undefined
}

function isHealthy({ set, nowMs }: StatefulView, pod: Pod): boolean {
  return isStaying(pod) && !isPodTerminal(pod) && isPodAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)
}

/** A pod that has ended and may be made anew. One that a node refuses at once must not be, a thousand times a second. */
function isSpent({ nowMs }: StatefulView, pod: Pod): boolean {
  return isStaying(pod) && isPodTerminal(pod) && spentAtMs(pod) <= nowMs
}

/** When a pod that has ended may be made anew at the earliest. */
export function spentAtMs({ metadata }: Pod): number {
  return Date.parse(metadata.creationTimestamp) + 1_000
}

/** What must happen before anything else, or undefined when every slot is filled by an available pod. */
function growInOrder(view: StatefulView, slots: readonly Slot[]): StatefulChanges | undefined {
  for (const { ordinal, pod } of slots) {
    if (pod === undefined) return { create: [{ ordinal, revision: revisionFor(view, ordinal) }], delete: [] }
    if (isSpent(view, pod)) return { create: [], delete: [pod] }
    if (isHealthy(view, pod)) continue
    return { create: [], delete: [] }
  }
  return undefined
}

function growAtOnce(view: StatefulView, slots: readonly Slot[]): StatefulChanges | undefined {
  const create = slots
    .filter(({ pod }) => pod === undefined)
    .map(({ ordinal }) => ({ ordinal, revision: revisionFor(view, ordinal) }))
  const finished = slots.flatMap(({ pod }) => (pod !== undefined && isSpent(view, pod) ? [pod] : []))
  return create.length + finished.length === 0 ? undefined : { create, delete: finished }
}

function shrinkInOrder(view: StatefulView, slots: readonly Slot[], condemned: readonly Pod[]): readonly Pod[] {
  const [highest] = condemned
  if (highest === undefined || !isStaying(highest)) return []
  // A pod that is not available may be the reason for shrinking, but not another one's.
  const others = [...slots.flatMap(({ pod }) => pod ?? []), ...condemned.slice(1)]
  return others.every((pod) => isHealthy(view, pod)) ? [highest] : []
}

function updateFromTop(view: StatefulView, slots: readonly Slot[]): readonly Pod[] {
  if (view.set.spec.updateStrategy?.type === 'OnDelete') return []
  const limit = maxUnavailableOf(view.set)
  if (limit > 1) return updateSeveral(view, slots, limit)
  for (const slot of slots.toReversed()) {
    const { pod } = slot
    if (pod === undefined) return []
    if (isOutdated(view, slot)) return isStaying(pod) ? [pod] : []
    if (!isHealthy(view, pod)) return []
  }
  return []
}

/** As many at once as may be unavailable together (KEP-961); one that is not available already costs nothing. */
function updateSeveral(view: StatefulView, slots: readonly Slot[], limit: number): readonly Pod[] {
  let left = limit - slots.filter(({ pod }) => pod === undefined || !isHealthy(view, pod)).length
  const chosen: Pod[] = []
  for (const slot of slots.toReversed()) {
    const { pod } = slot
    if (pod === undefined || !isOutdated(view, slot) || !isStaying(pod)) continue
    if (isHealthy(view, pod) && left-- <= 0) break
    chosen.push(pod)
  }
  return chosen
}

function maxUnavailableOf({ spec }: StatefulSet): number {
  const { maxUnavailable } = spec.updateStrategy?.rollingUpdate ?? {}
  return maxUnavailable === undefined ? 1 : Math.max(1, scaledValue(maxUnavailable, spec.replicas ?? 1, 'down'))
}

function isOutdated({ set, updateRevision }: StatefulView, { ordinal, pod }: Slot): boolean {
  if (set.spec.updateStrategy?.type === 'OnDelete' || ordinal < firstOrdinal(set) + partitionOf(set)) return false
  return pod !== undefined && revisionNameOf(pod) !== updateRevision
}

function partitionOf({ spec }: StatefulSet): number {
  return spec.updateStrategy?.rollingUpdate?.partition ?? 0
}

/** A pod below the partition is made anew of what it was; every other one of the present template. */
function revisionFor({ set, currentRevision, updateRevision }: StatefulView, ordinal: number): string {
  const isHeldBack = set.spec.updateStrategy?.type !== 'OnDelete' && ordinal < firstOrdinal(set) + partitionOf(set)
  return isHeldBack ? currentRevision : updateRevision
}

/** The counts and revisions. When every pod has the present revision and is ready, that becomes the current one. */
export function decideStatefulStatus(view: StatefulView): StatefulSetStatus {
  const { set, pods, updateRevision, nowMs } = view
  const { generation } = set.metadata
  const alive = pods.filter((pod) => ordinalOf(set, pod) !== undefined && !isPodTerminal(pod))
  const ofRevision = (name: string): number =>
    alive.filter((pod) => isStaying(pod) && revisionNameOf(pod) === name).length
  const ready = alive.filter((pod) => isStaying(pod) && isPodReady(pod))
  const updated = ofRevision(updateRevision)
  const isComplete = updated === alive.length && ready.length === alive.length && updated === (set.spec.replicas ?? 1)
  const isOnDelete = set.spec.updateStrategy?.type === 'OnDelete'
  const currentRevision = isComplete && !isOnDelete ? updateRevision : view.currentRevision
  const { collisionCount, conditions } = set.status ?? {}
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    replicas: alive.length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isPodAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)).length,
    currentReplicas: ofRevision(currentRevision),
    updatedReplicas: updated,
    currentRevision,
    updateRevision,
    collisionCount: collisionCount ?? 0,
    ...(conditions === undefined ? {} : { conditions }),
  }
}
