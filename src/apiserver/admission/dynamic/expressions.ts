import { kubernetesFunctions } from '#api/cel/kubernetes-functions.ts'
import { CelError } from '#lib/cel/cel-error.ts'
import { compileCel, type CelProgram } from '#lib/cel/program.ts'
import { fromJson, type CelMap, type CelValue } from '#lib/cel/values.ts'
import type { MatchCondition, Variable } from '#api/types/admissionregistration.v1.ts'
import type { AdmissionContext, AdmissionRequest } from '../admission.ts'
import { authorizerFunctions, authorizerOf } from './authorizer-functions.ts'
import { namespaceOf, nameOf } from './match.ts'
import { patchFunctions } from './patch-functions.ts'

const names = ['object', 'oldObject', 'request', 'params', 'namespaceObject', 'authorizer', 'variables']

/** What one expression, and all of a policy together, may cost. */
const maxCost = 1_000_000

/** Reads an expression of a policy or webhook. Throws `CelCompileError`. */
export function compileExpression(source: string): CelProgram {
  return compileCel(source, {
    variables: new Set(names),
    functions: { ...kubernetesFunctions, ...authorizerFunctions, ...patchFunctions },
    isStructType: (name) => name === 'JSONPatch' || name === 'Object' || name.startsWith('Object.'),
  })
}

/** Compiles on first use; an expression that cannot be read fails each time it is asked. */
export function lazyExpression(source: string): () => CelProgram {
  let compiled: CelProgram | undefined
  return () => {
    try {
      return (compiled ??= compileExpression(source))
    } catch (error) {
      throw new CelError(`compilation error: compilation failed: ${(error as Error).message}`)
    }
  }
}

/** The values that expressions see of one request. */
export type Activation = Readonly<Record<string, CelValue>>

export function evaluate(program: CelProgram, activation: Activation): CelValue {
  return program.evaluate(activation, { maxCost }).value
}

/** `params` is null where there are none. */
export function activationOf(
  request: AdmissionRequest,
  context: AdmissionContext,
  params: unknown,
  variables: readonly Variable[],
): Activation {
  const activation: Record<string, CelValue> = {
    object: fromJson(request.object ?? null),
    oldObject: fromJson(request.oldObject ?? null),
    request: fromJson(requestValue(request, context)),
    params: fromJson(params ?? null),
    namespaceObject: fromJson(request.info.resource === 'namespaces' ? null : (namespaceOf(request, context) ?? null)),
    authorizer: authorizerOf(request, context),
  }
  activation['variables'] = new LazyVariables(variables, activation)
  return activation
}

function requestValue(request: AdmissionRequest, { resources }: AdmissionContext): object {
  const { info, operation, user, dryRun } = request
  const { group, version, resource: plural, subresource } = info
  const kind = { group, version, kind: resources?.find(group, version, plural)?.kind ?? '' }
  const resource = { group, version, resource: plural }
  return {
    kind,
    resource,
    subResource: subresource,
    requestKind: kind,
    requestResource: resource,
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
      const value = evaluate(lazyExpression(source)(), this.#activation)
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
export function conditionsHold(conditions: readonly MatchCondition[] | undefined, activation: Activation): boolean {
  let failure: CelError | undefined
  for (const { expression } of conditions ?? []) {
    try {
      if (evaluate(lazyExpression(expression)(), activation) !== true) return false
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      failure ??= error
    }
  }
  if (failure !== undefined) throw failure
  return true
}
