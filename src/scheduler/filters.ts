import type { PlacedPlugin } from './extension-points.ts'
import { Veto, type Rejection, type Snapshot } from './framework.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'
import type { Profile } from './profile.ts'

/** What the plugins of a profile made of one pod. */
export interface PreparedPod {
  readonly pod: PodInfo
  readonly profile: Profile
  /** By plugin slot; `'skip'` for plugins that have nothing to say about this pod. */
  readonly states: readonly unknown[]
  /** The filters that have something to say, in order. */
  readonly filtering: readonly PlacedPlugin[]
}

/** Lets all plugins look at a pod, or answers why no node can take it. */
export function preparePod(pod: PodInfo, snapshot: Snapshot, profile: Profile): PreparedPod | Veto {
  const states: unknown[] = []
  for (const { plugin, slot } of profile.preparing) {
    const state = plugin.preFilter?.(pod, snapshot)
    if (state instanceof Veto) return state
    states[slot] = state
  }
  return { pod, profile, states, filtering: profile.points.filter.filter(({ slot }) => states[slot] !== 'skip') }
}

/** The first objection to the node as it is. */
export function firstRejection({ pod, states, filtering }: PreparedPod, node: NodeInfo): Rejection | undefined {
  for (const { plugin, slot } of filtering) {
    const rejection = plugin.filter?.(pod, node, states[slot])
    if (rejection) return rejection
  }
  return undefined
}

/**
 * The first objection to the node, also when the pods of equal or higher priority were there that are nominated to it:
 * a pod must not take the room that others are being preempted for.
 */
export function rejectionBeside(prepared: PreparedPod, node: NodeInfo, snapshot: Snapshot): Rejection | undefined {
  if (!node.nominated) return firstRejection(prepared, node)
  const { pod, profile } = prepared
  const added = [...node.nominated.values()].filter(({ uid, priority }) => uid !== pod.uid && priority >= pod.priority)
  if (added.length === 0) return firstRejection(prepared, node)
  const beside = snapshot.supposing(node, (trial) => {
    for (const info of added) trial.add(info)
    // Pods with rules of their own may be among them, so states made without them do not do.
    const again = preparePod(pod, snapshot, profile)
    return again instanceof Veto ? again.rejection : firstRejection(again, node)
  })
  return beside ?? firstRejection(prepared, node)
}
