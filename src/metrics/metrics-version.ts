import type { ResourceRow } from '#api/schema/shapes.ts'
import type { Node } from '#api/types/core.v1.ts'

const group = 'metrics.k8s.io'
const version = 'v1beta1'
const groupVersion = `${group}/${version}`
const verbs = ['get', 'list']

/** The API of resource metrics, as metrics-server serves it. */
export const metricsVersion = {
  group,
  version,
  groupPriorityMinimum: 100,
  versionPriority: 100,
  rows: [
    { groupVersion, name: 'nodes', singularName: '', namespaced: false, kind: 'NodeMetrics', verbs },
    { groupVersion, name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs },
  ] satisfies readonly ResourceRow[],
}

/** Whether the node has a kubelet that can be asked: simulated ones have none. */
export function hasKubelet({ status }: Node): boolean {
  return (status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0) > 0
}
