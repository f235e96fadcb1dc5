import type { PodSpec } from '#api/types/core.v1.ts'
import type { ContainerInfo } from '../cri/container.ts'
import { restartCountAnnotation } from './labels.ts'
import { currentSandbox, isRunning, type PodView } from './pod-view.ts'
import { restartActionOf } from './restart-policy.ts'

/** How often the whole pod had been started over in its sandbox when the container was made. */
export function podRestartOf({ annotations }: Pick<ContainerInfo, 'annotations'>): number {
  return Number(annotations[restartCountAnnotation] ?? 0)
}

/**
 * How often ends of containers have told the whole pod to start over in its sandbox (KEP-5532). Containers of an earlier
 * start are to go, and everything from the first init container on runs again. The end itself and the count stay with
 * the containers in the runtime for as long as they matter, so a kubelet that is started anew goes on where it was.
 */
export function podRestarts(spec: PodSpec, view: PodView): number {
  const sandboxId = currentSandbox(view)?.id
  const specs = new Map([...(spec.initContainers ?? []), ...spec.containers].map((each) => [each.name, each]))
  const causes = view.containers.filter((run) => {
    const container = specs.get(run.name)
    if (container === undefined || run.sandboxId !== sandboxId || run.state !== 'exited') return false
    return restartActionOf(container, run.exitCode) === 'RestartAllContainers'
  })
  return Math.max(0, ...causes.map((run) => podRestartOf(run) + 1))
}

/** Whether some end of some container may tell the whole pod to start over. */
export function couldRestartAll({ initContainers = [], containers }: PodSpec): boolean {
  return [...initContainers, ...containers].some(({ restartPolicyRules = [] }) =>
    restartPolicyRules.some(({ action }) => action === 'RestartAllContainers'),
  )
}

/**
 * Whether the pod is just starting over: from the end that told it to until its first container is made anew, or has to
 * wait for its delay. `isWaiting`: none is to be started for now.
 */
export function isRestartingAll(spec: PodSpec, view: PodView, isWaiting: boolean): boolean {
  const restarts = podRestarts(spec, view)
  if (restarts === 0 || view.containers.some((run) => podRestartOf(run) >= restarts)) return false
  return !isWaiting || view.containers.some(isRunning)
}
