import type { Pod } from '#api/types/core.v1.ts'
import type { Informer } from '#client/informer.ts'
import type { Clock, Timer } from '#lib/clock.ts'

/** Long enough that a deployment's pods count as one burst. */
const quietMs = 15_000

/**
 * Gives back what a burst of pods has left in the heap once the node is quiet: V8 itself collects when a program
 * allocates, and an idle node would keep 10 MB of garbage for hours. `collect` may take 100 ms. Answers how to end it.
 */
export function collectAfterBursts(pods: Informer<Pod>, clock: Clock, collect: () => unknown): () => void {
  let timer: Timer | undefined
  const restart = (): void => {
    timer?.cancel()
    timer = clock.schedule(quietMs, collect)
  }
  const remove = pods.listen({ added: restart, updated: restart, deleted: restart })
  return () => {
    remove()
    timer?.cancel()
  }
}
