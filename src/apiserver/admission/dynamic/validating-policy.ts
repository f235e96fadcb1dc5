import type { KubernetesObject } from '#api/meta/resource.ts'
import { StatusError, statusCodes, type StatusReason } from '#api/meta/status.ts'
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  Validation,
} from '#api/types/admissionregistration.v1.ts'
import { validatingAdmissionPolicies } from '#api/types/resources.ts'
import { CelError } from '#lib/cel/cel-error.ts'
import type { AdmissionContext, AdmissionRequest } from '../admission.ts'
import { refuse } from '../refuse.ts'
import { activationOf, conditionsHold, evaluate, type Activation } from './expressions.ts'
import { matchingOf, wantedAs } from './match.ts'
import { BindingError, paramsOf } from './params.ts'
import { versioned, type VersionedRequest } from './versioned.ts'

/** Judges a request by the expressions of the policies that are bound (KEP-3488). Throws the first denial, after all warned. */
export async function judgeByPolicies(
  bindings: readonly ValidatingAdmissionPolicyBinding[],
  request: AdmissionRequest,
  context: AdmissionContext,
): Promise<void> {
  const denials: StatusError[] = []
  for (const binding of bindings) {
    const policy = context.reader.get(validatingAdmissionPolicies, binding.spec.policyName)
    if (policy === undefined) continue
    const wanted = wantedAs(matchingOf(policy.spec.matchConstraints ?? {}), request, context)
    if (wanted === undefined) continue
    if (wantedAs(matchingOf(binding.spec.matchResources ?? {}), request, context) === undefined) continue
    const shown = await versioned(request, wanted.other, context)
    judge({ policy, binding, shown, request, context, denials })
  }
  const [first] = denials
  if (first !== undefined) throw first
}

interface Case {
  readonly policy: ValidatingAdmissionPolicy
  readonly binding: ValidatingAdmissionPolicyBinding
  readonly shown: VersionedRequest
  readonly request: AdmissionRequest
  readonly context: AdmissionContext
  readonly denials: StatusError[]
}

interface Finding {
  readonly message: string
  readonly reason: string
}

function judge(subject: Case): void {
  const { policy, binding, request, context } = subject
  try {
    const { paramKind } = policy.spec
    for (const params of paramsOf(paramKind, binding.spec.paramRef, request, context)) judgeWith(subject, params)
  } catch (error) {
    if (!(error instanceof BindingError) && !(error instanceof CelError)) throw error
    if (policy.spec.failurePolicy !== 'Ignore') act(subject, { message: error.message, reason: 'Invalid' })
  }
}

function judgeWith(subject: Case, params: KubernetesObject | null): void {
  const { policy, shown, context } = subject
  const { variables = [], matchConditions, validations = [], failurePolicy } = policy.spec
  const activation = activationOf(shown, context, params, variables)
  if (!conditionsHold(matchConditions, activation)) return
  for (const validation of validations) {
    const finding = findingOf(validation, activation, failurePolicy !== 'Ignore')
    if (finding !== undefined) act(subject, finding)
  }
}

function findingOf(validation: Validation, activation: Activation, failsClosed: boolean): Finding | undefined {
  const { expression, reason = 'Invalid' } = validation
  try {
    if (evaluate(expression, activation) === true) return undefined
    return { message: messageOf(validation, activation), reason }
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    if (!failsClosed) return undefined
    return { message: `expression '${expression}' resulted in error: ${error.message}`, reason: 'Invalid' }
  }
}

function messageOf({ expression, message, messageExpression }: Validation, activation: Activation): string {
  const fixed = message?.trim() || `failed expression: ${expression.trim()}`
  if (messageExpression === undefined || messageExpression === '') return fixed
  try {
    const text = evaluate(messageExpression, activation)
    return typeof text === 'string' && text.trim() !== '' && !text.includes('\n') ? text.trim() : fixed
  } catch (error) {
    if (error instanceof CelError) return fixed
    throw error
  }
}

function act(subject: Case, finding: Finding): void {
  const { policy, binding, request } = subject
  const actions = binding.spec.validationActions
  if (actions.includes('Warn')) {
    const who = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`
    request.warn?.(`Validation failed for ${who}: ${finding.message}`)
  }
  if (actions.includes('Deny')) subject.denials.push(denied(subject, finding))
}

function denied({ policy, binding, request }: Case, { message, reason }: Finding): StatusError {
  const who = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`
  const why = `${who} denied request: ${message}`
  const refusal = refuse(request, why)
  const known = (Object.hasOwn(statusCodes, reason) ? reason : 'Invalid') as StatusReason
  return new StatusError(known, refusal.message, { details: { ...refusal.details, causes: [{ message: why }] } })
}
