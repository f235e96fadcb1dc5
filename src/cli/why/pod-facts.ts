import type { SchedulingExplanation } from '#api/core/v1/scheduling-explanation.ts'
import type { Event, Node, PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'

/** What is known about a pod and the things it depends on, read at one time. */
export interface PodFacts {
  readonly pod: Pod
  readonly nowMs: number
  /** About the pod, the newest first. */
  readonly events: readonly Event[]
  /** The node that the pod is bound to; absent where it does not exist, or the pod has none. */
  readonly node?: Node | 'unreadable' | undefined
  /** Its claims by name; absent where they do not exist. */
  readonly claims: ReadonlyMap<string, ClaimFacts | undefined>
  /** Its claims for devices, while it has no node. */
  readonly deviceClaims: readonly DeviceClaimFacts[]
  /** ConfigMaps and Secrets that it cannot start without and that do not exist, as `configmap "x"`. */
  readonly missing: readonly string[]
  readonly explanation?: SchedulingExplanation | undefined
  /** What could not be read, and why. */
  readonly notes: readonly string[]
}

export interface ClaimFacts {
  readonly claim: PersistentVolumeClaim
  /** Nothing of that name; undefined where the claim names no class. */
  readonly isClassMissing: boolean
  readonly waitsForPod: boolean
  /** The newest warning about it. */
  readonly warning?: string | undefined
}

/** A claim for devices that a pod names, with what it depends on. */
export interface DeviceClaimFacts {
  /** As the pod calls it. */
  readonly reference: string
  /** Where the claim is to be made from one. */
  readonly templateName?: string | undefined
  /** Absent where it has not been made yet. */
  readonly claimName?: string | undefined
  readonly isClaimMissing: boolean
  readonly isTemplateMissing: boolean
  /** Classes that its requests name and that do not exist. */
  readonly missingClasses: readonly string[]
}

/** The newest event of one of the reasons. */
export function newestEvent({ events }: Pick<PodFacts, 'events'>, ...reasons: readonly string[]): Event | undefined {
  return events.find(({ reason }) => reasons.includes(reason ?? ''))
}
