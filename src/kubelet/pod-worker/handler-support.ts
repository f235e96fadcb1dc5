import type { Pod } from '#api/types/core.v1.ts'
import type { RuntimeHandler } from '../cri/runtime.ts'
import type { WorkerContext } from './worker-context.ts'

/** What the handler of the pod's RuntimeClass can do; `undefined` when the runtime says nothing of it, or no class is there. */
export function handlerOf(
  { runtimeHandler, runtimeHandlers }: Pick<WorkerContext, 'runtimeHandler' | 'runtimeHandlers'>,
  pod: Pod,
): RuntimeHandler | undefined {
  try {
    const wanted = runtimeHandler(pod)
    return runtimeHandlers().find(({ name }) => name === wanted)
  } catch {
    return undefined
  }
}
