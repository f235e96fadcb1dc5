import type { Pod } from '#api/types/core.v1.ts'
import type { RuntimeClass } from '#api/types/node.v1.ts'
import type { Informer } from '#client/informer.ts'

/** The handler that the pod's RuntimeClass names; empty, the runtime's own default, for a pod without one. */
export function runtimeHandlerOf({ spec }: Pod, classes: Pick<Informer<RuntimeClass>, 'get'>): string {
  const { runtimeClassName = '' } = spec
  if (runtimeClassName === '') return ''
  const found = classes.get(runtimeClassName)
  if (found === undefined) throw new Error(`RuntimeClass "${runtimeClassName}" not found`)
  return found.handler
}
