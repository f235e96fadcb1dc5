import type { PodSpec } from '#api/types/core.v1.ts'
import { currentSandbox, type PodView } from './pod-view.ts'
import { restartActionOf } from './restart-policy.ts'

/**
 * When the end of a container told the whole pod to start over (KEP-5532), last; -Infinity: it never did. Containers that
 * were made before are to go, and everything from the first init container on runs again in the same sandbox. The end
 * itself stays in the runtime for as long as it matters, so a kubelet that is started anew goes on where it was.
 */
export function restartedAllAtMs(spec: PodSpec, view: PodView): number {
  const sandboxId = currentSandbox(view)?.id
  const rules = new Map([...(spec.initContainers ?? []), ...spec.containers].map((each) => [each.name, each]))
  const ends = view.containers.filter((run) => {
    const container = rules.get(run.name)
    if (container === undefined || run.sandboxId !== sandboxId || run.state !== 'exited') return false
    return restartActionOf(container, run.exitCode) === 'RestartAllContainers'
  })
  return Math.max(-Infinity, ...ends.map(({ finishedAtMs }) => finishedAtMs))
}
