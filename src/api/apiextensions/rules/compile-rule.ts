import { compileCel, type CelProgram } from '#lib/cel/program.ts'
import type { ValidationRule } from '../../types/apiextensions.v1.ts'
import { kubernetesFunctions } from '../../cel/kubernetes-functions.ts'

/** A rule of a schema, ready to be asked. */
export interface CompiledRule {
  readonly rule: ValidationRule
  readonly program: CelProgram
  readonly message: CelProgram | undefined
  /** It compares with the value before: it is for updates alone. */
  readonly isTransition: boolean
}

const variables: ReadonlySet<string> = new Set(['self', 'oldSelf'])

/** Throws `CelCompileError`. */
function compileRuleText(source: string): CelProgram {
  return compileCel(source, { variables, functions: kubernetesFunctions })
}

/** Throws `CelCompileError`: validation of the definition tells its author. */
export function compileRule(rule: ValidationRule): CompiledRule {
  const program = compileRuleText(rule.rule)
  const { messageExpression = '' } = rule
  return {
    rule,
    program,
    message: messageExpression === '' ? undefined : compileRuleText(messageExpression),
    isTransition: program.uses.has('oldSelf'),
  }
}
