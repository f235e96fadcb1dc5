import { setCondition, type ConditionLike } from '#api/meta/conditions.ts'
import type { FlowSchema, FlowSchemaStatus } from '#api/types/flowcontrol.v1.ts'

/** The status that says whether the schema's priority level exists; undefined where it says so already. */
export function decideStatus(
  { spec, status }: FlowSchema,
  { hasLevel, now }: { readonly hasLevel: boolean; readonly now: string },
): FlowSchemaStatus | undefined {
  const level = `the PriorityLevelConfiguration object named "${spec.priorityLevelConfiguration.name}"`
  const condition = hasLevel
    ? { status: 'False', reason: 'Found', message: `This FlowSchema references ${level} and it exists` }
    : { status: 'True', reason: 'NotFound', message: `This FlowSchema references ${level} but there is no such object` }
  // A condition has its type: the list is keyed by it.
  const before = status?.conditions as readonly ConditionLike[] | undefined
  const conditions = setCondition(before, { type: 'Dangling', ...condition }, now)
  return conditions === before ? undefined : { ...status, conditions }
}
