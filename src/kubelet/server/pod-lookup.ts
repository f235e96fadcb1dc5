import type { ContainerStatus } from '../cri/container.ts'
import { currentSandbox, isRunning } from '../pod-worker/pod-view.ts'
import type { PodWorker } from '../pod-worker/pod-worker.ts'
import { HttpError } from './http-error.ts'
import type { KubeletServerContext } from './server-context.ts'
import type { RouteCall } from './route.ts'

/** The worker of the pod that the path names; 404 when this node has none. */
export function podOf({ workers }: KubeletServerContext, { parameters }: RouteCall): PodWorker {
  const { namespace = '', pod = '', uid } = parameters
  const worker = workers.find(namespace, pod)
  if (worker === undefined || (uid !== undefined && worker.pod.metadata.uid !== uid))
    throw new HttpError(404, 'pod does not exist')
  return worker
}

/** The container that runs under the name. */
export function runningContainer(worker: PodWorker, name: string): ContainerStatus {
  const run = worker.view.containers.find((container) => container.name === name)
  if (run === undefined || !isRunning(run)) throw new HttpError(404, `container not found ("${name}")`)
  return run
}

export function sandboxIdOf(worker: PodWorker): string {
  const sandbox = currentSandbox(worker.view)
  if (sandbox === undefined || !sandbox.ready) throw new HttpError(404, 'sandbox not found')
  return sandbox.id
}
