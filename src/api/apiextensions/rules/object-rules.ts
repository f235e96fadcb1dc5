import { CelCompileError, CelCostError, CelError } from '#lib/cel/cel-error.ts'
import { CelOptional, type CelValue } from '#lib/cel/values.ts'
import { isSameJson } from '../../meta/merge-patch.ts'
import type { KubernetesObject } from '../../meta/resource.ts'
import type { FieldError } from '../../meta/status.ts'
import { once } from '../../schema/load.ts'
import { isPlainObject } from '../../schema/own-member.ts'
import { quoteValue } from '../../meta/field-errors.ts'
import { additionalOf, itemsOf, type Schema } from '../structural/schema.ts'
import { correlatedItems, typeName } from '../structural/validate-value.ts'
import { adaptValue } from './adapt.ts'
import { compileRule, type CompiledRule } from './compile-rule.ts'

/** Checks the rules (`x-kubernetes-validations`) of a schema; `errors` are those already found in the object. */
export type ObjectRules = (
  object: KubernetesObject,
  old: KubernetesObject | undefined,
  errors: readonly FieldError[],
) => FieldError[]

/** What all rules of one request may cost together, and one rule by itself (Kubernetes' limits). */
const budget = 10_000_000
const maxRuleCost = 1_000_000

const blocking: ReadonlySet<string> = new Set([
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])

/** The rules of a schema and all below it. They are compiled when the first object comes. */
export function objectRules(schema: Schema): ObjectRules {
  if (!hasRules(schema)) return () => []
  const tree = once(() => ruleTree(schema))
  return (object, old, errors) => {
    if (errors.some(({ type }) => blocking.has(type))) return [notChecked]
    const walk: Walk = { errors: [], left: budget }
    check(tree(), object, old, '', walk)
    return walk.errors
  }
}

const notChecked: FieldError = {
  type: 'FieldValueInvalid',
  field: '<nil>',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
}

function hasRules(schema: Schema): boolean {
  if ((schema['x-kubernetes-validations'] ?? []).length > 0) return true
  return childrenOf(schema).some(hasRules)
}

function childrenOf(schema: Schema): Schema[] {
  const additional = additionalOf(schema)
  const items = itemsOf(schema)
  return [
    ...Object.values(schema.properties ?? {}),
    ...(items === undefined ? [] : [items]),
    ...(additional === undefined || additional === true ? [] : [additional]),
  ]
}

interface RuleTree {
  readonly schema: Schema
  readonly rules: readonly CompiledRule[]
  readonly properties: ReadonlyMap<string, RuleTree>
  readonly items: RuleTree | undefined
  readonly additional: RuleTree | undefined
}

function ruleTree(schema: Schema): RuleTree {
  const additional = additionalOf(schema)
  const items = itemsOf(schema)
  const withRules = Object.entries(schema.properties ?? {}).filter(([, property]) => hasRules(property))
  return {
    schema,
    rules: (schema['x-kubernetes-validations'] ?? []).flatMap(readable),
    properties: new Map(withRules.map(([key, property]) => [key, ruleTree(property)])),
    items: items !== undefined && hasRules(items) ? ruleTree(items) : undefined,
    additional:
      additional !== undefined && additional !== true && hasRules(additional) ? ruleTree(additional) : undefined,
  }
}

/** A rule that a newer server stored and this one cannot read is passed over: refusing every object would be worse. */
function readable(rule: CompiledRule['rule']): CompiledRule[] {
  try {
    return [compileRule(rule)]
  } catch (error) {
    if (error instanceof CelCompileError) return []
    throw error
  }
}

interface Walk {
  readonly errors: FieldError[]
  left: number
}

function check(tree: RuleTree, value: unknown, old: unknown, path: string, walk: Walk): void {
  if (walk.left < 0 || value === null || value === undefined) return
  if (old !== undefined && isSameJson(value, old)) return
  for (const rule of tree.rules) checkRule(rule, { schema: tree.schema, value, old, path }, walk)
  if (Array.isArray(value)) {
    const before = correlatedItems(tree.schema, old)
    const { items } = tree
    if (items === undefined) return
    for (const [index, item] of value.entries()) check(items, item, before?.(item), `${path}[${index}]`, walk)
  } else if (isPlainObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      const child = tree.properties.get(key) ?? (tree.schema.properties?.[key] ? undefined : tree.additional)
      if (child === undefined) continue
      const before = isPlainObject(old) && Object.hasOwn(old, key) ? old[key] : undefined
      check(
        child,
        member,
        before,
        tree.additional === child ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`,
        walk,
      )
    }
  }
}

interface Subject {
  readonly schema: Schema
  readonly value: unknown
  readonly old: unknown
  readonly path: string
}

function checkRule(compiled: CompiledRule, subject: Subject, walk: Walk): void {
  const { schema, value, old, path } = subject
  const { rule, program, isTransition } = compiled
  const hasOld = old !== undefined && old !== null
  if (isTransition && !hasOld && rule.optionalOldSelf !== true) return
  const before = hasOld ? adaptValue(schema, old) : undefined
  const variables: Record<string, CelValue> = { self: adaptValue(schema, value) }
  if (rule.optionalOldSelf === true) variables['oldSelf'] = new CelOptional(before)
  else if (before !== undefined) variables['oldSelf'] = before
  try {
    const { value: holds, cost } = program.evaluate(variables, { maxCost: Math.min(maxRuleCost, walk.left) })
    walk.left -= cost
    if (holds === true) return
    walk.errors.push(failure(rule, value, path, messageOf(compiled, variables, walk)))
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    walk.errors.push(evaluationFailure(error, rule, value, path, walk))
  }
}

function messageOf({ rule, message }: CompiledRule, variables: Record<string, CelValue>, walk: Walk): string {
  const fixed = rule.message?.trim() || `failed rule: ${rule.rule.trim()}`
  if (message === undefined) return fixed
  try {
    const { value, cost } = message.evaluate(variables, { maxCost: Math.min(maxRuleCost, walk.left) })
    walk.left -= cost
    const text = typeof value === 'string' ? value.trim() : ''
    return text === '' || text.includes('\n') || text.length > maxMessage ? fixed : text
  } catch (error) {
    if (error instanceof CelError) return fixed
    throw error
  }
}

const maxMessage = 5 * 1_024

function failure({ reason, fieldPath }: CompiledRule['rule'], value: unknown, path: string, why: string): FieldError {
  const field = fieldPath ? `${path}${fieldPath}`.replace(/^\./, '') : path
  const isScalar = typeof value !== 'object'
  switch (reason) {
    case 'FieldValueRequired':
      return { type: reason, field, message: `Required value: ${why}` }
    case 'FieldValueForbidden':
      return { type: reason, field, message: `Forbidden: ${why}` }
    case 'FieldValueDuplicate':
      return { type: reason, field, message: `Duplicate value: ${quoteValue(value)}` }
    default:
      return {
        type: 'FieldValueInvalid',
        field,
        message: isScalar ? `Invalid value: ${quoteValue(value)}: ${why}` : `Invalid value: ${why}`,
      }
  }
}

function evaluationFailure(
  error: CelError,
  { rule, message }: CompiledRule['rule'],
  value: unknown,
  field: string,
  walk: Walk,
): FieldError {
  const named = message?.trim() || rule.trim()
  const invalid = (why: string): FieldError => ({
    type: 'FieldValueInvalid',
    field,
    message: `Invalid value: ${JSON.stringify(typeName(value))}: ${why}`,
  })
  if (error instanceof CelCostError) {
    walk.left = -1
    return invalid(`no further validation rules will be run due to call cost exceeds limit for rule: ${named}`)
  }
  if (error.message === 'no such overload') {
    return invalid(`call arguments did not match a supported operator, function or macro signature for rule: ${named}`)
  }
  return invalid(`${error.message} evaluating rule: ${named}`)
}
