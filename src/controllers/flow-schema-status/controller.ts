import { flowSchemas, priorityLevelConfigurations } from '#api/types/resources.ts'
import type { PriorityLevelConfiguration } from '#api/types/flowcontrol.v1.ts'
import { formatTime } from '#lib/clock.ts'
import { defineController, watchOf, type ControllerContext } from '#reconcile/controller.ts'
import { decideStatus } from './decide.ts'

/** Says of each FlowSchema whether the priority level exists that it sends requests to (condition `Dangling`). */
export const flowSchemaStatusController = defineController({
  name: 'flow-schema-status-controller',
  watches: [watchOf(flowSchemas), watchOf(priorityLevelConfigurations, schemasOf)],
  writes: [{ resource: flowSchemas, subresource: 'status', verbs: ['update'] }],
  reconcile,
})

/** A level that only changes makes no difference to its schemas. */
function schemasOf(
  { metadata }: PriorityLevelConfiguration,
  { informers }: ControllerContext,
  previous?: PriorityLevelConfiguration,
): readonly string[] {
  if (previous !== undefined) return []
  const all = informers.of(flowSchemas).list()
  return all
    .filter(({ spec }) => spec.priorityLevelConfiguration.name === metadata.name)
    .map((schema) => schema.metadata.name)
}

async function reconcile(name: string, { informers, client, clock }: ControllerContext): Promise<void> {
  const schema = informers.of(flowSchemas).get(name)
  if (schema === undefined) return
  const level = informers.of(priorityLevelConfigurations).get(schema.spec.priorityLevelConfiguration.name)
  const status = decideStatus(schema, { hasLevel: level !== undefined, now: formatTime(clock.now()) })
  if (status !== undefined) await client.resource(flowSchemas).updateStatus({ ...schema, status })
}
