import { kubernetesFunctions } from '#api/cel/kubernetes-functions.ts'
import { CelCompileError, CelCostError, CelError } from '#lib/cel/cel-error.ts'
import { compileCel, type CelProgram } from '#lib/cel/program.ts'
import { fromJson, type CelMap, type CelValue } from '#lib/cel/values.ts'
import type { MatchCondition, Variable } from '#api/types/admissionregistration.v1.ts'
import type { AdmissionContext } from '../admission.ts'
import type { Programs } from '../programs.ts'
import { authorizerFunctions, authorizersOf } from './authorizer-functions.ts'
import { namespaceOf, nameOf } from './match.ts'
import { patchFunctions } from './patch-functions.ts'
import { kindOf, type VersionedRequest } from './versioned.ts'

const names = [
  'object',
  'oldObject',
  'request',
  'params',
  'namespaceObject',
  'authorizer',
  'authorizer.requestResource',
  'variables',
]

/** What one expression may cost, all of a policy together, and all conditions of a policy or webhook. */
const expressionBudget = 1_000_000
const policyBudget = 10_000_000
const conditionsBudget = 2_500_000

function compileExpression(source: string, programs: Programs | undefined): CelProgram {
  const known = programs?.get(source)
  if (known !== undefined) return known
  try {
    const program = compileCel(source, {
      variables: new Set(names),
      functions: { ...kubernetesFunctions, ...authorizerFunctions, ...patchFunctions },
      isStructType: (name) => name === 'JSONPatch' || name === 'Object' || name.startsWith('Object.'),
    })
    programs?.set(source, program)
    return program
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error
    throw new CelError(`compilation error: compilation failed: ${error.message}`)
  }
}

/** What the expressions of a policy see of one request, and what they may still cost. */
export interface Activation {
  readonly values: Readonly<Record<string, CelValue>>
  readonly programs: Programs | undefined
  readonly budget: { left: number }
}

/** Throws `CelError`; of an expression that cannot be read each time it is asked. */
export function evaluate(source: string, { values, programs, budget }: Activation): CelValue {
  const program = compileExpression(source, programs)
  try {
    const { value, cost } = program.evaluate(values, { maxCost: Math.min(expressionBudget, budget.left) })
    budget.left -= cost
    return value
  } catch (error) {
    if (!(error instanceof CelCostError) || budget.left >= expressionBudget) throw error
    throw new CelError('validation failed due to running out of cost budget, no further validation rules will be run')
  }
}

/** `params` is null where there are none. */
export function activationOf(
  shown: VersionedRequest,
  context: AdmissionContext,
  params: unknown,
  variables: readonly Variable[],
): Activation {
  const { request, object, oldObject } = shown
  const namespace = request.info.resource === 'namespaces' ? undefined : namespaceOf(request, context)
  const values: Record<string, CelValue> = {
    object: fromJson(object ?? null),
    oldObject: fromJson(oldObject ?? null),
    request: fromJson(requestValue(shown, context)),
    params: fromJson(params ?? null),
    namespaceObject: fromJson(namespace ?? null),
    ...authorizersOf(request, context),
  }
  const activation = { values, programs: context.programs, budget: { left: policyBudget } }
  values['variables'] = new LazyVariables(variables, activation)
  return activation
}

function requestValue({ request, other }: VersionedRequest, { resources }: AdmissionContext): object {
  const { info, operation, user, dryRun } = request
  const { group, version, resource: plural, subresource } = info
  const own = resources?.find(group, version, plural)
  const requestResource = { group, version, resource: plural }
  return {
    kind: kindOf(request, other ?? own),
    resource: other === undefined ? requestResource : { group: other.group, version: other.version, resource: plural },
    subResource: subresource,
    requestKind: kindOf(request, own),
    requestResource,
    requestSubResource: subresource,
    name: nameOf(request),
    namespace: info.namespace,
    operation,
    userInfo: { username: user.name, uid: user.uid ?? '', groups: user.groups, extra: user.extra ?? {} },
    dryRun,
  }
}

/** Values of a policy's variables, each worked out when it is first read. */
class LazyVariables implements CelMap {
  readonly isMap = true
  readonly #sources: ReadonlyMap<string, string>
  readonly #known = new Map<string, CelValue>()
  readonly #activation: Activation

  constructor(variables: readonly Variable[], activation: Activation) {
    this.#sources = new Map(variables.map(({ name, expression }) => [name, expression]))
    this.#activation = activation
  }

  get size(): number {
    return this.#sources.size
  }

  keys(): readonly string[] {
    return [...this.#sources.keys()]
  }

  get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string') return undefined
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const source = this.#sources.get(key)
    if (source === undefined) return undefined
    try {
      const value = evaluate(source, this.#activation)
      this.#known.set(key, value)
      return value
    } catch (error) {
      if (error instanceof CelError)
        throw new CelError(`composited variable "${key}" fails to evaluate: ${error.message}`)
      throw error
    }
  }
}

/**
 * Whether all conditions hold. One that is false decides, also beside one that fails; without it a failure is thrown.
 */
export function conditionsHold(conditions: readonly MatchCondition[] | undefined, given: Activation): boolean {
  const activation = { ...given, budget: { left: conditionsBudget } }
  let failure: CelError | undefined
  for (const { expression } of conditions ?? []) {
    try {
      if (evaluate(expression, activation) !== true) return false
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      failure ??= new CelError(`expression '${expression}' resulted in error: ${error.message}`)
    }
  }
  if (failure !== undefined) throw failure
  return true
}
