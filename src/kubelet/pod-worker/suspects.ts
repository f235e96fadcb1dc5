import { isRunning, type PodView } from './pod-view.ts'

const maximumTries = 6
const firstDelayMs = 10

/**
 * Containers and sandboxes that are said to have ended while the runtime's lists may not know it yet: event and list
 * come from different parts of it.
 */
export class Suspects {
  readonly #tries = new Map<string, number>()

  add(id: string): void {
    this.#tries.set(id, 0)
  }

  /** Drops those that are seen to have ended; says how soon to look again for the rest. */
  check(view: PodView): number | undefined {
    let delayMs: number | undefined
    for (const [id, tries] of this.#tries) {
      const stillRuns =
        view.containers.some((run) => run.id === id && isRunning(run)) ||
        view.sandboxes.some((sandbox) => sandbox.id === id && sandbox.ready)
      if (!stillRuns || tries >= maximumTries) {
        this.#tries.delete(id)
        continue
      }
      this.#tries.set(id, tries + 1)
      delayMs = Math.min(delayMs ?? Infinity, firstDelayMs * 2 ** tries)
    }
    return delayMs
  }
}
