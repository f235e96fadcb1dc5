import { Veto, type Rejection, type SchedulerPlugin, type Snapshot } from './framework.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'

export interface PreparedPlugin {
  readonly plugin: SchedulerPlugin
  readonly state: unknown
}

/** The plugins that have something to say about one pod, in order. */
export interface PreparedPlugins {
  readonly pod: PodInfo
  readonly plugins: readonly PreparedPlugin[]
  readonly filtering: readonly PreparedPlugin[]
}

/** Prepares all plugins for a pod, or answers why no node can take it. */
export function preparePlugins(
  pod: PodInfo,
  snapshot: Snapshot,
  plugins: readonly SchedulerPlugin[],
): PreparedPlugins | Veto {
  const prepared: PreparedPlugin[] = []
  for (const plugin of plugins) {
    const state = plugin.prepare?.(pod, snapshot)
    if (state instanceof Veto) return state
    if (state !== 'skip') prepared.push({ plugin, state })
  }
  return { pod, plugins: prepared, filtering: prepared.filter(({ plugin }) => plugin.filter) }
}

/** The first objection to the node as it is. */
function firstRejection({ pod, filtering }: PreparedPlugins, node: NodeInfo): Rejection | undefined {
  for (const { plugin, state } of filtering) {
    const rejection = plugin.filter?.(pod, node, state)
    if (rejection) return rejection
  }
  return undefined
}

/**
 * The first objection to the node, also when the pods of equal or higher priority were there that are nominated to it:
 * a pod must not take the room that others are being preempted for.
 */
export function rejectionBeside(prepared: PreparedPlugins, node: NodeInfo, snapshot: Snapshot): Rejection | undefined {
  if (!node.nominated) return firstRejection(prepared, node)
  const { pod } = prepared
  const added = [...node.nominated.values()].filter(({ uid, priority }) => uid !== pod.uid && priority >= pod.priority)
  if (added.length === 0) return firstRejection(prepared, node)
  const plugins = prepared.plugins.map(({ plugin }) => plugin)
  const beside = snapshot.supposing(node, (trial) => {
    for (const info of added) trial.add(info)
    // Pods with rules of their own may be among them, so states made without them do not do.
    const again = preparePlugins(pod, snapshot, plugins)
    return again instanceof Veto ? again.rejection : firstRejection(again, node)
  })
  return beside ?? firstRejection(prepared, node)
}
