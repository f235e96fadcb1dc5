import type { Pod } from '#api/types/core.v1.ts'
import { pods } from '#api/types/resources.ts'
import type { Placement } from './cycle.ts'
import type { BindContext } from './framework.ts'

/** Whether plugins have something to do before the pod can be bound that takes its time. */
export function takesTime({ prepared: { profile, states }, node }: Placement): boolean {
  return profile.points.preBind.some(
    ({ plugin, slot }) => states[slot] !== 'skip' && plugin.preBindTakesTime?.(node, states[slot]) === true,
  )
}

/**
 * Tells others, such as who adds nodes, where the pod is to go while its binding takes time, or that it does not go
 * there after all (KEP-5278). The binding takes it back by itself. Rejects as the API does.
 */
export async function nominateNode(
  { metadata: { name, namespace = '', uid }, status }: Pod,
  nodeName: string | null,
  { client }: Pick<BindContext, 'client'>,
): Promise<void> {
  if (status?.nominatedNodeName === nodeName) return
  const patch = { metadata: { uid }, status: { nominatedNodeName: nodeName } }
  await client.resource(pods, namespace).patch(name, { type: 'merge', patch }, { subresource: 'status' })
}
