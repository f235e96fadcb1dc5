import type { Draft } from '#api/kind.ts'
import { applyJsonPatch, type JsonPatchOperation } from '#api/meta/json-patch.ts'
import { isSameJson } from '#api/meta/merge-patch.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { mergeValues } from '#api/meta/server-side-apply/typed-value.ts'
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  Mutation,
} from '#api/types/admissionregistration.v1.ts'
import { mutatingAdmissionPolicies } from '#api/types/resources.ts'
import { CelError } from '#lib/cel/cel-error.ts'
import { toJson } from '#lib/cel/values.ts'
import type { AdmissionContext, AdmissionRequest } from '../admission.ts'
import { refuse } from '../refuse.ts'
import { activationOf, conditionsHold, evaluate, type Activation } from './expressions.ts'
import { isWanted, matchingOf } from './match.ts'
import { BindingError, paramsOf } from './params.ts'
import { replaceObject } from './replace-object.ts'

/** Changes the object of a request by the expressions of the policies that are bound (KEP-3962). */
export function mutateByPolicies(
  bindings: readonly MutatingAdmissionPolicyBinding[],
  request: AdmissionRequest,
  context: AdmissionContext,
): void {
  const { object } = request
  if (object === undefined) return
  const cases = bindings.flatMap((binding): Case[] => {
    const policy = context.reader.get(mutatingAdmissionPolicies, binding.spec.policyName ?? '')
    return policy === undefined ? [] : [{ policy, binding, request, context }]
  })
  mutateAll(cases, object)
}

interface Case {
  readonly policy: MutatingAdmissionPolicy
  readonly binding: MutatingAdmissionPolicyBinding
  readonly request: AdmissionRequest
  readonly context: AdmissionContext
}

/** Policies that want to see what later ones made of the object are asked a second time, once. */
function mutateAll(cases: readonly Case[], object: Draft<KubernetesObject>): void {
  const seen = new Map<Case, unknown>()
  for (const each of cases) {
    mutateBy(each)
    seen.set(each, structuredClone(object))
  }
  for (const each of cases) {
    const isAskedAgain = each.policy.spec.reinvocationPolicy === 'IfNeeded'
    if (isAskedAgain && !isSameJson(seen.get(each), object)) mutateBy(each)
  }
}

function mutateBy({ policy, binding, request, context }: Case): void {
  const { matchConstraints, paramKind, variables = [], matchConditions, mutations = [], failurePolicy } = policy.spec
  if (!isWanted(matchingOf(matchConstraints ?? {}), request, context)) return
  if (!isWanted(matchingOf(binding.spec.matchResources ?? {}), request, context)) return
  try {
    for (const params of paramsOf(paramKind, binding.spec.paramRef, request, context)) {
      if (!conditionsHold(matchConditions, activationOf(request, context, params, variables))) continue
      for (const mutation of mutations)
        mutate(mutation, request, context, activationOf(request, context, params, variables))
    }
  } catch (error) {
    if (!(error instanceof CelError) && !(error instanceof BindingError)) throw error
    if (failurePolicy === 'Ignore') return
    const who = `MutatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`
    throw refuse(request, `${who} denied request: ${error.message}`)
  }
}

function mutate(
  mutation: Mutation,
  request: AdmissionRequest,
  context: AdmissionContext,
  activation: Activation,
): void {
  const { info, object } = request
  const resource = context.resources?.find(info.group, info.version, info.resource)
  if (resource === undefined || object === undefined) return
  const { patchType, applyConfiguration, jsonPatch } = mutation
  const source = (patchType === 'JSONPatch' ? jsonPatch?.expression : applyConfiguration?.expression) ?? ''
  const value = toJson(evaluate(source, activation))
  const changed =
    patchType === 'JSONPatch'
      ? applyJsonPatch(object, readOperations(value))
      : mergeValues(resource.node, object, checkConfiguration(value))
  replaceObject(resource, object, changed)
}

function readOperations(value: unknown): readonly JsonPatchOperation[] {
  if (Array.isArray(value)) return value as readonly JsonPatchOperation[]
  throw new CelError('type mismatch: JSONPatchType.jsonPatch should evaluate to array')
}

function checkConfiguration(value: unknown): object {
  const config = value as { metadata?: Readonly<Record<string, unknown>> }
  for (const field of ['name', 'namespace', 'uid', 'generateName', 'resourceVersion']) {
    if (config.metadata?.[field] !== undefined)
      throw new CelError(`may not mutate atomic arrays, maps or structs: .metadata.${field}`)
  }
  return config
}
