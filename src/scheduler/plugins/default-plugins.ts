import type { SchedulerPlugin } from '../framework.ts'
import { defaultPreemption } from '../preemption/default-preemption.ts'
import type { PreemptionOptions } from '../preemption/plan-preemption.ts'
import { defaultBinder } from './default-binder.ts'
import { dynamicResources, type DynamicResourcesOptions } from './dynamic-resources.ts'
import { imageLocality } from './image-locality.ts'
import { interPodAffinity, type InterPodAffinityOptions } from './inter-pod-affinity.ts'
import { nodeAffinity, type NodeAffinityOptions } from './node-affinity.ts'
import { nodeDeclaredFeatures } from './node-declared-features.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeResourcesBalanced, type NodeResourcesBalancedOptions } from './node-resources-balanced.ts'
import { nodeResourcesFit, type NodeResourcesFitOptions } from './node-resources-fit.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { nodeVolumeLimits } from './node-volume-limits.ts'
import { podTopologySpread, type PodTopologySpreadOptions } from './pod-topology-spread.ts'
import { prioritySort } from './priority-sort.ts'
import { schedulingGates } from './scheduling-gates.ts'
import { taintToleration } from './taint-toleration.ts'
import { volumeBinding, type VolumeBindingOptions } from './volume-binding.ts'
import { volumeRestrictions } from './volume-restrictions.ts'
import { volumeZone } from './volume-zone.ts'

/** The arguments of plugins that have any (KubeSchedulerConfiguration v1, `pluginConfig`). */
export interface PluginArguments
  extends
    InterPodAffinityOptions,
    PodTopologySpreadOptions,
    NodeAffinityOptions,
    NodeResourcesFitOptions,
    NodeResourcesBalancedOptions,
    VolumeBindingOptions,
    DynamicResourcesOptions,
    PreemptionOptions {}

/** The plugins of the default profile in the order their filters run. */
export function defaultPluginsWith(given: PluginArguments): readonly SchedulerPlugin[] {
  return [
    schedulingGates,
    prioritySort,
    nodeUnschedulable,
    nodeName,
    taintToleration,
    nodeAffinity(given),
    nodePorts,
    nodeResourcesFit(given),
    volumeRestrictions,
    nodeVolumeLimits,
    volumeBinding(given),
    volumeZone,
    podTopologySpread(given),
    interPodAffinity(given),
    nodeDeclaredFeatures,
    dynamicResources(given),
    defaultPreemption(given),
    nodeResourcesBalanced(given),
    imageLocality,
    defaultBinder,
  ]
}

export const defaultPlugins: readonly SchedulerPlugin[] = defaultPluginsWith({})
