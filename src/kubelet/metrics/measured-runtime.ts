import type { Clock } from '#lib/clock.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import type { KubeletMetrics } from './kubelet-metrics.ts'

/** What upstream calls each call of the runtime in its metrics. */
const operations = {
  version: 'version',
  status: 'status',
  runSandbox: 'run_podsandbox',
  stopSandbox: 'stop_podsandbox',
  removeSandbox: 'remove_podsandbox',
  sandboxStatus: 'podsandbox_status',
  listSandboxes: 'list_podsandbox',
  createContainer: 'create_container',
  startContainer: 'start_container',
  stopContainer: 'stop_container',
  removeContainer: 'remove_container',
  listContainers: 'list_containers',
  containerStatus: 'container_status',
  reopenContainerLog: 'reopen_container_log',
  containerStats: 'list_container_stats',
  sandboxStats: 'list_podsandbox_stats',
  updateContainerResources: 'update_container',
  checkpointContainer: 'checkpoint_container',
  imageFileSystem: 'image_fs_info',
  execSync: 'exec_sync',
  exec: 'exec',
  attach: 'attach',
  portForward: 'port_forward',
  listImages: 'list_images',
  imageStatus: 'image_status',
  pullImage: 'pull_image',
  removeImage: 'remove_image',
} as const satisfies Record<Exclude<keyof ContainerRuntime, 'events' | 'close'>, string>

type Call = (...inputs: readonly unknown[]) => Promise<unknown>

/** The same runtime, with its calls counted and timed. */
export function measuredRuntime(
  runtime: ContainerRuntime,
  { clock, metrics }: { readonly clock: Clock; readonly metrics: KubeletMetrics },
): ContainerRuntime {
  const measure =
    (operation: string, call: Call): Call =>
    async (...inputs) => {
      const labels = { operation_type: operation }
      const startedMs = clock.monotonic()
      metrics.runtimeOperations.add(labels)
      try {
        return await call(...inputs)
      } catch (error) {
        metrics.runtimeErrors.add(labels)
        throw error
      } finally {
        metrics.runtimeSeconds.observe((clock.monotonic() - startedMs) / 1000, labels)
      }
    }
  const measured = Object.entries(operations).map(([name, operation]) => {
    const call = runtime[name as keyof typeof operations] as Call
    return [name, measure(operation, call.bind(runtime))] as const
  })
  return {
    ...(Object.fromEntries(measured) as unknown as ContainerRuntime),
    events: (signal) => runtime.events(signal),
    close: () => runtime.close(),
  }
}
