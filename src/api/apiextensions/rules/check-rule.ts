import { CelCheckError, checkCel, type CheckedExpression } from '#lib/cel/check.ts'
import { CelCompileError } from '#lib/cel/cel-error.ts'
import { estimateCost } from '#lib/cel/estimate-cost.ts'
import { boolType, isSameType, optionalOf, stringType, type Type } from '#lib/cel/types.ts'
import type { ValidationRule } from '../../types/apiextensions.v1.ts'
import { kubernetesSignatures } from '../../cel/kubernetes-signatures.ts'

/** What is known of a rule before any object comes. */
export interface CheckedRule {
  /** Why the rule cannot be used; undefined for one that can. */
  readonly problem?: string
  /** The same for its message expression. */
  readonly messageProblem?: string
  /** What one use of each may cost at most. */
  readonly cost: number
  readonly messageCost: number
  readonly usesOldSelf: boolean
}

/** Checks a rule of a schema whose values are of the type. */
export function checkRule(rule: ValidationRule, self: Type): CheckedRule {
  const variables = new Map<string, Type>([
    ['self', self],
    ['oldSelf', rule.optionalOldSelf === true ? optionalOf(self) : self],
  ])
  const main = check(rule.rule, variables, '', boolType, 'cel expression must evaluate to a bool')
  const { messageExpression = '' } = rule
  const message =
    messageExpression.trim() === ''
      ? undefined
      : check(
          messageExpression,
          variables,
          'messageExpression ',
          stringType,
          'messageExpression must evaluate to a string',
        )
  return {
    ...(main.problem !== undefined && { problem: main.problem }),
    ...(message?.problem !== undefined && { messageProblem: message.problem }),
    cost: main.cost,
    messageCost: message?.cost ?? 0,
    usesOldSelf: main.checked?.uses.has('oldSelf') === true,
  }
}

interface Outcome {
  readonly problem?: string
  readonly cost: number
  readonly checked?: CheckedExpression
}

function check(
  source: string,
  variables: ReadonlyMap<string, Type>,
  what: string,
  wanted: Type,
  otherwise: string,
): Outcome {
  try {
    const checked = checkCel(source, { variables, signatures: kubernetesSignatures() })
    if (!isSameType(checked.type, wanted)) return { problem: otherwise, cost: 0 }
    return { cost: estimateCost(checked, variables), checked }
  } catch (error) {
    if (!(error instanceof CelCompileError) && !(error instanceof CelCheckError)) throw error
    return { problem: `${what}compilation failed: ${error.message}`, cost: 0 }
  }
}
