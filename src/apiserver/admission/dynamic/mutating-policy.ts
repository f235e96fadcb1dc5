import type { Draft } from '#api/kind.ts'
import { applyJsonPatch, type JsonPatchOperation } from '#api/meta/json-patch.ts'
import { isStatusError } from '#api/meta/status.ts'
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
import type { ServedResource } from '../../registry/served-resource.ts'
import { matchingOf, wantedAs } from './match.ts'
import { isInvoked, noteInvocation } from '../reinvocation.ts'
import { BindingError, paramsOf } from './params.ts'
import { replaceObject } from './replace-object.ts'
import { versioned, type VersionedRequest } from './versioned.ts'

/** Changes the object of a request by the expressions of the policies that are bound (KEP-3962). */
export async function mutateByPolicies(
  bindings: readonly MutatingAdmissionPolicyBinding[],
  request: AdmissionRequest,
  context: AdmissionContext,
): Promise<void> {
  const resource = context.resources?.find(request.info.group, request.info.version, request.info.resource)
  if (request.object === undefined || request.object.kind !== resource?.kind) return
  for (const binding of bindings) {
    const policy = context.reader.get(mutatingAdmissionPolicies, binding.spec.policyName ?? '')
    if (policy !== undefined) await mutateBy({ policy, binding, request, context, resource, object: request.object })
  }
}

interface Case {
  readonly policy: MutatingAdmissionPolicy
  readonly binding: MutatingAdmissionPolicyBinding
  readonly request: AdmissionRequest
  readonly context: AdmissionContext
  readonly resource: ServedResource
  readonly object: Draft<KubernetesObject>
}

async function mutateBy(subject: Case): Promise<void> {
  const { policy, binding, request, context } = subject
  const { matchConstraints, failurePolicy, reinvocationPolicy } = policy.spec
  if (!isInvoked(request, binding, reinvocationPolicy)) return
  const wanted = wantedAs(matchingOf(matchConstraints ?? {}), request, context)
  if (wanted === undefined) return
  if (wantedAs(matchingOf(binding.spec.matchResources ?? {}), request, context) === undefined) return
  try {
    await mutateInVersion(subject, wanted.other)
    noteInvocation(request, binding, reinvocationPolicy)
  } catch (error) {
    const isTheirs = error instanceof CelError || error instanceof BindingError || isStatusError(error)
    if (!isTheirs) throw error
    if (failurePolicy === 'Ignore') return
    const who = `MutatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`
    throw refuse(request, `${who} denied request: ${error.message}`)
  }
}

async function mutateInVersion(subject: Case, other: ServedResource | undefined): Promise<void> {
  const { policy, binding, request, context } = subject
  const { paramKind, variables = [], matchConditions, mutations = [] } = policy.spec
  for (const params of paramsOf(paramKind, binding.spec.paramRef, request, context)) {
    const asked = await versioned(request, other, context)
    if (!conditionsHold(matchConditions, activationOf(asked, context, params, variables))) continue
    for (const mutation of mutations) {
      const shown = await versioned(request, other, context)
      await mutate(mutation, shown, activationOf(shown, context, params, variables), subject)
    }
  }
}

async function mutate(
  { patchType, applyConfiguration, jsonPatch }: Mutation,
  { object, other }: VersionedRequest,
  activation: Activation,
  subject: Case,
): Promise<void> {
  const { resource, request } = subject
  if (object === undefined) return
  const source = (patchType === 'JSONPatch' ? jsonPatch?.expression : applyConfiguration?.expression) ?? ''
  const value = toJson(evaluate(source, activation))
  const changed =
    patchType === 'JSONPatch'
      ? applyJsonPatch(object, readOperations(value))
      : mergeValues((other ?? resource).node, object, checkConfiguration(value))
  await replaceObject({ resource, request, draft: subject.object }, changed, other)
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
