import type { FieldNode, ObjectNode, SchemaNode } from './node.ts'
import { cloneJson } from './own-member.ts'

/**
 * Fills the defaults that the schema declares, all the way down, into a draft: `protocol: TCP`, and the zero values
 * that Kubernetes always writes (`status: {}`, `resources: {}`). Changes the draft in place; running it again changes nothing.
 */
export function applySchemaDefaults(node: SchemaNode, draft: unknown): void {
  if (typeof draft !== 'object' || draft === null) return
  // Values of custom resources may have another shape than their schema: validation, which comes later, refuses them.
  if (Array.isArray(draft) !== (node.shape === 'list')) return
  if (node.shape === 'object') fillObject(node, draft as Record<string, unknown>)
  else if (node.shape === 'list') {
    if (needsDefaults(node.item)) for (const item of draft as readonly unknown[]) applySchemaDefaults(node.item, item)
  } else if (node.shape === 'map' && needsDefaults(node.value)) {
    for (const member of Object.values(draft)) applySchemaDefaults(node.value, member)
  }
}

interface Plan {
  readonly defaulted: readonly FieldNode[]
  /** Fields whose values may need defaults inside. */
  readonly nested: readonly FieldNode[]
}

const plans = new WeakMap<ObjectNode, Plan>()

function planOf(node: ObjectNode): Plan {
  const known = plans.get(node)
  if (known) return known
  const fields = [...node.fields.values()]
  const plan = { defaulted: fields.filter(hasDefault), nested: fields.filter((field) => needsDefaults(field.node)) }
  plans.set(node, plan)
  return plan
}

/** A zero default of an optional field says no more than that it is absent, but for custom resources. */
function hasDefault({ default: value, required, zeroMeansAbsent, node }: FieldNode): boolean {
  if (value === undefined) return false
  if (required || node.custom !== undefined) return true
  return value !== '' && !(zeroMeansAbsent && (value === 0 || value === false))
}

function fillObject(node: ObjectNode, draft: Record<string, unknown>): void {
  const { defaulted, nested } = planOf(node)
  for (const field of defaulted) {
    if (draft[field.name] === undefined) draft[field.name] = cloneJson(field.default)
  }
  for (const field of nested) {
    const value = draft[field.name]
    if (value !== undefined) applySchemaDefaults(field.node, value)
  }
}

const needs = new WeakMap<SchemaNode, boolean>()

/** Whether any default is declared at or below the node; types that contain themselves are followed once. */
function needsDefaults(node: SchemaNode): boolean {
  const known = needs.get(node)
  if (known !== undefined) return known
  if (node.shape === 'scalar' || node.shape === 'raw') return false
  const answer = reachesDefault(node, new Set())
  needs.set(node, answer)
  return answer
}

function reachesDefault(node: SchemaNode, visited: Set<SchemaNode>): boolean {
  if (visited.has(node)) return false
  visited.add(node)
  if (node.shape === 'list') return reachesDefault(node.item, visited)
  if (node.shape === 'map') return reachesDefault(node.value, visited)
  if (node.shape !== 'object') return false
  return [...node.fields.values()].some((field) => hasDefault(field) || reachesDefault(field.node, visited))
}
