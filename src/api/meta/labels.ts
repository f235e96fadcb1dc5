import type { LabelSelector, LabelSelectorRequirement } from '../types/meta.v1.ts'
import { parseLabelRequirements, type LabelOperator, type LabelRequirement } from './label-selector-parser.ts'
import { SelectorError } from './selector-error.ts'

export type { LabelOperator, LabelRequirement }

export type Labels = Readonly<Record<string, string>>

/** A compiled selector: all requirements must hold. */
export interface LabelMatcher {
  readonly requirements: readonly LabelRequirement[]
  matches(labels: Labels | undefined): boolean
}

const noLabels: Labels = {}

const matchesEverything: LabelMatcher = { requirements: [], matches: () => true }
export const matchesNothing: LabelMatcher = {
  requirements: [{ key: '', operator: 'in', values: [] }],
  matches: () => false,
}

/** Compiles the text form, such as `app=web,tier in (a,b),!old`. Throws `SelectorError` in the API server's words. */
export function parseLabelSelector(text: string): LabelMatcher {
  return matcherOfRequirements(parseLabelRequirements(text))
}

/** Compiles a `LabelSelector` object. Absent matches nothing, empty everything; throws `SelectorError` for a bad operator. */
export function matcherOf(selector: LabelSelector | undefined): LabelMatcher {
  if (selector === undefined || selector === null) return matchesNothing
  return matcherOfRequirements([
    ...equalities(selector.matchLabels),
    ...(selector.matchExpressions ?? []).map(readExpression),
  ])
}

/** Compiles a plain map of labels that must all be equal, as Services have. Absent or empty matches everything. */
export function matcherOfLabels(labels: Labels | undefined): LabelMatcher {
  return matcherOfRequirements(equalities(labels))
}

export function matcherOfRequirements(requirements: readonly LabelRequirement[]): LabelMatcher {
  if (requirements.length === 0) return matchesEverything
  return {
    requirements,
    matches: (labels = noLabels) => requirements.every((requirement) => holds(requirement, labels)),
  }
}

function equalities(labels: Labels | undefined): LabelRequirement[] {
  return Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: '=', values: [value] }))
}

const expressionOperators: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
}

function readExpression({ key, operator, values = [] }: LabelSelectorRequirement): LabelRequirement {
  const known = Object.hasOwn(expressionOperators, operator) ? expressionOperators[operator] : undefined
  if (known === undefined) throw new SelectorError(`"${operator}" is not a valid label selector operator`)
  return { key, operator: known, values: [...new Set(values)].sort() }
}

function holds({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case '=':
    case '==':
      return value === values[0]
    case 'in':
      return value !== undefined && values.includes(value)
    case '!=':
      return value !== values[0]
    case 'notin':
      return value === undefined || !values.includes(value)
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    default:
      return value !== undefined && isOrdered(operator, value, values[0] as string)
  }
}

const integer = /^[+-]?\d{1,19}$/

function isOrdered(operator: 'gt' | 'lt', value: string, bound: string): boolean {
  if (!integer.test(value)) return false
  return operator === 'gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound)
}

/** The text form of a selector, which `parseLabelSelector` reads back. */
export function formatLabelSelector({ requirements }: Pick<LabelMatcher, 'requirements'>): string {
  return requirements.map(formatRequirement).join(',')
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  if (operator === 'exists') return key
  if (operator === '!') return `!${key}`
  if (operator === 'in' || operator === 'notin') return `${key} ${operator} (${values.join(',')})`
  const sign = operator === 'gt' ? '>' : operator === 'lt' ? '<' : operator
  return `${key}${sign}${values[0] ?? ''}`
}

/** Whether `labels` holds every pair of `wanted`. */
export function hasLabels(labels: Labels | undefined, wanted: Labels): boolean {
  return Object.keys(wanted).every((key) => labels?.[key] === wanted[key])
}
