import type { MetricFamily } from '#lib/metrics/metric.ts'
import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import { currentSandbox } from '../pod-worker/pod-view.ts'
import { volumePluginName } from './volume-plugin-name.ts'
import type { PodWorker } from '../pod-worker/pod-worker.ts'

/** What can be counted from the pods as they are now. */
export function nodeMetrics(nodeName: string, version: string, workers: readonly PodWorker[]): readonly MetricFamily[] {
  const states = new Map<string, number>()
  for (const { view } of workers) {
    for (const { state } of view.containers) states.set(state, (states.get(state) ?? 0) + 1)
  }
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(version) ?? []
  const active = workers.filter(({ pod }) => !isPodTerminal(pod)).length
  const running = workers.filter(({ view }) => currentSandbox(view)?.ready === true).length
  return [
    gauge('kubelet_node_name', "The node's name. The count is always 1.", [[{ node: nodeName }, 1]]),
    gauge('kubelet_running_pods', 'Number of pods that have a running pod sandbox', [[{}, running]]),
    gauge(
      'kubelet_running_containers',
      'Number of containers currently running',
      [...states].map(([state, count]) => [{ container_state: state }, count]),
    ),
    gauge('kubelet_active_pods', 'The number of pods the kubelet considers active', [[{ static: '' }, active]]),
    gauge('kubelet_desired_pods', 'The number of pods the kubelet is being instructed to run', [
      [{ static: '' }, workers.length],
    ]),
    gauge(
      'volume_manager_total_volumes',
      'Number of volumes in Volume Manager',
      volumeCounts(workers).map(([labels, count]) => [labels, count]),
    ),
    gauge('kubernetes_build_info', 'A metric with a constant 1 value labeled by the version that is served', [
      [{ git_version: version, major, minor, platform: 'linux' }, 1],
    ]),
  ]
}

/** How many volumes of each type there are to be, and are. */
function volumeCounts(workers: readonly PodWorker[]): readonly (readonly [Readonly<Record<string, string>>, number])[] {
  const counts = new Map<string, number>()
  for (const { pod, volumes } of workers.filter((worker) => !isPodTerminal(worker.pod))) {
    for (const { name, ...source } of pod.spec.volumes ?? []) {
      const states = ['desired_state_of_world', ...(volumes.has(name) ? ['actual_state_of_world'] : [])]
      for (const state of states) {
        const key = `${volumePluginName(Object.keys(source)[0] ?? 'emptyDir')} ${state}`
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
    }
  }
  return [...counts].map(([key, count]) => {
    const [plugin = '', state = ''] = key.split(' ')
    return [{ plugin_name: plugin, state }, count]
  })
}

function gauge(
  name: string,
  help: string,
  rows: readonly (readonly [Readonly<Record<string, string>>, number])[],
): MetricFamily {
  return { name, help, type: 'gauge', samples: rows.map(([labels, value]) => ({ labels, value })) }
}
