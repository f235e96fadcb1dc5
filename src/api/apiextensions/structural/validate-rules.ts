import type { Type } from '#lib/cel/types.ts'
import { forbiddenField, invalidValue, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { ValidationRule } from '../../types/apiextensions.v1.ts'
import { checkRule, type CheckedRule } from '../rules/check-rule.ts'
import { declaredType, leastBytes } from '../rules/declared-type.ts'
import { additionalOf, isEmbedded, itemsOf, type Schema } from './schema.ts'

/** What one rule may cost in all of an object, and all rules of a schema together (Kubernetes' limits). */
const ruleCostLimit = 10_000_000
const schemaCostLimit = 100_000_000
const requestBytes = 3 * 1_024 * 1_024
const namedExpensive = 4

/**
 * What is wrong with the rules of a schema (`x-kubernetes-validations`): expressions that cannot be read, whose types do
 * not agree, or that may cost too much for the objects that the schema allows.
 */
export function validateRules(schema: Schema, path: string): FieldError[] {
  const walk: Walk = { errors: [], expensive: [], total: 0 }
  visit({ schema, path, isResource: true, count: 1, uncorrelated: undefined }, walk)
  if (walk.total <= schemaCostLimit) return walk.errors
  const named = walk.expensive.toSorted((a, b) => b.cost - a.cost).slice(0, namedExpensive)
  const why = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'
  return [
    ...walk.errors,
    ...named.map((each) => forbiddenField(each.path, why)),
    forbiddenField(
      path,
      overBudget('estimated rule cost total for entire OpenAPIv3 schema', walk.total, schemaCostLimit),
    ),
  ]
}

interface Walk {
  readonly errors: FieldError[]
  readonly expensive: { readonly path: string; readonly cost: number }[]
  total: number
}

interface Place {
  readonly schema: Schema
  readonly path: string
  readonly isResource: boolean
  /** How often the value can be in one object at most; undefined: nothing bounds it but the size of a request. */
  readonly count: number | undefined
  /** The list or map above whose items have no identity over time. */
  readonly uncorrelated: string | undefined
}

function visit(place: Place, walk: Walk): void {
  const { schema, path, count } = place
  checkRules(place, walk)
  const below = (child: Schema, childPath: string, times: number | undefined): void => {
    const total = count === undefined || times === undefined ? undefined : count * times
    const isResource = isEmbedded(child)
    visit({ schema: child, path: childPath, isResource, count: total, uncorrelated: uncorrelatedBelow(place) }, walk)
  }
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    below(property, `${path}.properties[${key}]`, 1)
  }
  const items = itemsOf(schema)
  if (items !== undefined) below(items, `${path}.items`, schema.maxItems)
  const additional = additionalOf(schema)
  if (additional !== undefined && additional !== true)
    below(additional, `${path}.additionalProperties`, schema.maxProperties)
}

function uncorrelatedBelow({ schema, path, uncorrelated }: Place): string | undefined {
  if (uncorrelated !== undefined) return uncorrelated
  const isLoose = schema.type === 'array' && schema['x-kubernetes-list-type'] !== 'map'
  return isLoose || schema['x-kubernetes-map-type'] === 'atomic' ? path : undefined
}

function checkRules(place: Place, walk: Walk): void {
  const { schema, path, isResource } = place
  const rules = schema['x-kubernetes-validations'] ?? []
  if (rules.length === 0) return
  const type = declaredType(schema, 'self', isResource)
  if (type === undefined) return
  for (const [index, rule] of rules.entries())
    checkOne(rule, `${path}.x-kubernetes-validations[${index}]`, type, place, walk)
}

function checkOne(rule: ValidationRule, path: string, type: Type, place: Place, walk: Walk): void {
  const { errors } = walk
  const at = `${path}.rule`
  if (rule.rule.trim() === '') {
    errors.push(required(at, 'rule is not specified'))
    return
  }
  const checked = checkRule(rule, type)
  const times = place.count ?? Math.floor(requestBytes / (leastBytes(place.schema) + 1))
  addCost(walk, at, 'estimated rule cost', checked.cost * times)
  if (checked.problem !== undefined) errors.push(invalidValue(at, writtenRule(rule), checked.problem))
  if (checked.messageProblem !== undefined) {
    errors.push(invalidValue(`${path}.messageExpression`, writtenRule(rule), checked.messageProblem))
  } else if (checked.messageCost > 0) {
    addCost(walk, `${path}.messageExpression`, 'estimated messageExpression cost', checked.messageCost * times)
  }
  errors.push(...transitionErrors(rule, path, checked, place))
}

function addCost(walk: Walk, path: string, what: string, cost: number): void {
  if (cost > ruleCostLimit) walk.errors.push(forbiddenField(path, overBudget(what, cost, ruleCostLimit)))
  walk.total += cost
  walk.expensive.push({ path, cost })
}

function transitionErrors(
  rule: ValidationRule,
  path: string,
  { usesOldSelf, problem }: CheckedRule,
  { uncorrelated }: Place,
): FieldError[] {
  if (usesOldSelf && uncorrelated !== undefined) {
    const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`
    return [invalidValue(`${path}.rule`, rule.rule, why)]
  }
  if (usesOldSelf || problem !== undefined || rule.optionalOldSelf === undefined) return []
  return [
    invalidValue(`${path}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'),
  ]
}

/** A rule as messages show it: all its fields, by the names they have inside. */
function writtenRule(rule: ValidationRule): object {
  return {
    Rule: rule.rule,
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  }
}

function overBudget(what: string, cost: number, limit: number): string {
  const factor = cost / limit
  const shown = factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`
  const advice =
    'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared'
  return `${what} exceeds budget by factor of ${shown} (${advice})`
}
