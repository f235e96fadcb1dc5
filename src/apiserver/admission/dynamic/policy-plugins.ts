import { mutatingAdmissionPolicyBindings, validatingAdmissionPolicyBindings } from '#api/types/resources.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts'

// What evaluates expressions is loaded when the first policy is bound: most clusters start without any.

/** Nobody may lock the door from outside: policies do not judge what configures policies and webhooks. */
function isExempt({ info }: AdmissionRequest): boolean {
  return info.group === 'admissionregistration.k8s.io'
}

/** Changes objects by the expressions of MutatingAdmissionPolicies. */
export const mutatingAdmissionPolicy: AdmissionPlugin = {
  name: 'MutatingAdmissionPolicy',
  resources: ['*'],
  subresources: ['*'],
  operations: ['CREATE', 'UPDATE'],
  mutate(request, context) {
    const bindings = context.reader.list(mutatingAdmissionPolicyBindings)
    if (bindings.length === 0 || isExempt(request)) return
    return import('./mutating-policy.ts').then(({ mutateByPolicies }) => mutateByPolicies(bindings, request, context))
  },
}

/** Judges requests by the expressions of ValidatingAdmissionPolicies. */
export const validatingAdmissionPolicy: AdmissionPlugin = {
  name: 'ValidatingAdmissionPolicy',
  resources: ['*'],
  subresources: ['*'],
  operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
  validate(request, context) {
    const bindings = context.reader.list(validatingAdmissionPolicyBindings)
    if (bindings.length === 0 || isExempt(request)) return
    return import('./validating-policy.ts').then(({ judgeByPolicies }) => judgeByPolicies(bindings, request, context))
  },
}
