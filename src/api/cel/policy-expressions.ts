import { CelCompileError } from '#lib/cel/cel-error.ts'
import { CelCheckError, checkCel } from '#lib/cel/check.ts'
import { dynType, isSameType, objectType, typeName, type Type } from '#lib/cel/types.ts'
import { invalidValue } from '../meta/field-errors.ts'
import type { FieldError } from '../meta/status.ts'
import { kubernetesSignatures } from './kubernetes-signatures.ts'
import { mutationStruct, requestVariables, type RequestTypes } from './policy-types.ts'

const compilationFailed = 'compilation failed: '

export interface PolicyVariable {
  readonly name: string
  readonly expression: string
}

export interface ScopeOptions extends RequestTypes {
  /** Whether its structs are those of mutations. */
  readonly mutates?: boolean
}

/** What the expressions of one policy or webhook may use: the request, and the variables that were declared before. */
export class ExpressionScope {
  readonly #variables: Map<string, Type>
  readonly #mutates: boolean
  readonly #declared = new Map<string, Type>()

  constructor(options: ScopeOptions = {}) {
    this.#variables = requestVariables(options)
    this.#mutates = options.mutates === true
  }

  /** Adds a variable of the policy; those after it may use it. Answers why it cannot be read. */
  declare({ name, expression }: PolicyVariable): string | undefined {
    const { type, problem } = this.#check(expression)
    this.#declared.set(name, type ?? dynType)
    this.#variables.set('variables', objectType('kubernetes.variables', Object.fromEntries(this.#declared)))
    return problem
  }

  /** Why an expression cannot be read, or its types do not agree: the places and what is wrong there. */
  compileProblem(expression: string): string | undefined {
    const { problem } = this.#check(expression)
    return problem?.slice(compilationFailed.length)
  }

  /** Why an expression cannot be used where one of some types is wanted; undefined: it can. */
  problemOf(expression: string, wanted: readonly Type[]): string | undefined {
    const { type, problem } = this.#check(expression)
    if (type === undefined || wanted.some((each) => isSameType(each, type))) return problem
    const [first] = wanted
    const names =
      wanted.length === 1 && first !== undefined ? typeName(first) : `one of [${wanted.map(typeName).join(' ')}]`
    return `must evaluate to ${names} but got ${typeName(type)}`
  }

  /** The same as an error of a field. */
  errorsOf(path: string, expression: string, wanted: readonly Type[]): FieldError[] {
    const problem = this.problemOf(expression, wanted)
    return problem === undefined ? [] : [invalidValue(path, expression, problem)]
  }

  #check(expression: string): { readonly type?: Type; readonly problem?: string } {
    try {
      const { type } = checkCel(expression, {
        variables: this.#variables,
        signatures: kubernetesSignatures(),
        ...(this.#mutates && { structType: mutationStruct }),
      })
      return { type }
    } catch (error) {
      if (!(error instanceof CelCompileError) && !(error instanceof CelCheckError)) throw error
      return { problem: compilationFailed + error.message }
    }
  }
}
