import type { PodAction } from './pod-plan.ts'
import type { PodView } from './pod-view.ts'

/**
 * What may be thrown away while a pod lives: of each container everything but the newest run and the one before it
 * (whose end the status tells and whose log `--previous` shows), and sandboxes that no kept container belongs to.
 */
export function outdatedRemains(view: PodView): readonly PodAction[] {
  const seen = new Map<string, number>()
  const actions: PodAction[] = []
  const keptSandboxes = new Set(view.sandboxes.slice(0, 1).map(({ id }) => id))
  for (const container of view.containers) {
    const age = seen.get(container.name) ?? 0
    seen.set(container.name, age + 1)
    if (age >= 2 && container.state !== 'running') actions.push({ type: 'removeContainer', container })
    else keptSandboxes.add(container.sandboxId)
  }
  for (const { id, ready } of view.sandboxes) {
    if (!ready && !keptSandboxes.has(id)) actions.push({ type: 'removeSandbox', id })
  }
  return actions
}
