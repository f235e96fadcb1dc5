import type { PodSpec } from '#api/types/core.v1.ts'
import type { ContainerInfo } from '../cri/container.ts'
import { restartCountAnnotation } from './labels.ts'
import { currentSandbox, type PodView } from './pod-view.ts'
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
