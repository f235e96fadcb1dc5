import type { ContainerStatus } from '../cri/container.ts'
import type { SandboxStatus } from '../cri/sandbox.ts'

/** What the runtime holds of one pod. Both lists have the newest first. */
export interface PodView {
  readonly sandboxes: readonly SandboxStatus[]
  readonly containers: readonly ContainerStatus[]
}

export const emptyView: PodView = { sandboxes: [], containers: [] }

/** The newest container with the name, in any sandbox or in the one given. */
export function latestContainer(view: PodView, name: string, sandboxId?: string): ContainerStatus | undefined {
  return view.containers.find(
    (container) => container.name === name && (sandboxId === undefined || container.sandboxId === sandboxId),
  )
}

export function currentSandbox(view: PodView): SandboxStatus | undefined {
  return view.sandboxes[0]
}

export function isRunning(container: ContainerStatus | undefined): boolean {
  return container?.state === 'running'
}

/** Nothing of the pod runs any more. */
export function isStopped(view: PodView): boolean {
  return !view.sandboxes.some((sandbox) => sandbox.ready) && !view.containers.some(isRunning)
}
