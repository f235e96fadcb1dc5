import { defineKind } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import {
  duplicate,
  forbiddenField,
  invalidForEach,
  invalidValue,
  notSupported,
  required,
} from '../../meta/field-errors.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type {
  MutatingAdmissionPolicyBinding,
  ParamRef,
  ValidatingAdmissionPolicyBinding,
} from '../../types/admissionregistration.v1.ts'
import { validateMatchResources } from './admission-policy.ts'
import { setMatchDefaults } from './webhook-defaults.ts'

export const validatingAdmissionPolicyBinding = defineKind<ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  hasGeneration: true,
  setDefaults: ({ spec }) => setMatchDefaults(spec?.matchResources),
  validate: ({ spec }) => [
    ...validateBinding(spec),
    ...validateActions(spec.validationActions ?? [], 'spec.validationActions'),
  ],
  cells: bindingCells,
  requiresResourceVersion: true,
})

export const mutatingAdmissionPolicyBinding = defineKind<MutatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicyBinding',
  hasGeneration: true,
  setDefaults: ({ spec }) => setMatchDefaults(spec?.matchResources),
  validate: ({ spec }) => validateBinding(spec),
  cells: bindingCells,
  requiresResourceVersion: true,
})

type Binding = ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding

function bindingCells({ metadata, spec }: Binding, nowMs: number): readonly unknown[] {
  return [metadata.name, spec.policyName ?? '', paramRefCell(spec.paramRef), ageOf(metadata.creationTimestamp, nowMs)]
}

function paramRefCell(ref: ParamRef | undefined): string {
  if (ref === undefined) return '<unset>'
  return ref.namespace ? `${ref.namespace}/${ref.name ?? ''}` : `*/${ref.name ?? ''}`
}

function validateBinding({ policyName = '', paramRef, matchResources }: Binding['spec']): FieldError[] {
  const errors =
    policyName === ''
      ? [required('spec.policyName')]
      : invalidForEach('spec.policyName', policyName, dnsSubdomain(policyName))
  if (paramRef !== undefined) errors.push(...validateParamRef(paramRef, 'spec.paramRef'))
  if (matchResources !== undefined) errors.push(...validateMatchResources(matchResources, 'spec.matchResources'))
  return errors
}

function validateParamRef(
  { name = '', selector, parameterNotFoundAction: action }: ParamRef,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  if (name !== '') {
    errors.push(...invalidForEach(`${path}.name`, name, dnsSubdomain(name)))
    if (selector !== undefined) errors.push(forbiddenField(`${path}.name`, 'name and selector are mutually exclusive'))
  } else if (selector === undefined) errors.push(required(path, 'one of name or selector must be specified'))
  if (action === undefined) errors.push(required(`${path}.parameterNotFoundAction`))
  else if (action !== 'Allow' && action !== 'Deny') {
    errors.push(notSupported(`${path}.parameterNotFoundAction`, action, ['Deny', 'Allow']))
  }
  return errors
}

const actions = ['Audit', 'Deny', 'Warn']

function validateActions(list: readonly string[], path: string): FieldError[] {
  if (list.length === 0) return [required(path, 'at least one validation action is required')]
  const errors: FieldError[] = []
  for (const [index, action] of list.entries()) {
    if (!actions.includes(action)) errors.push(notSupported(`${path}[${index}]`, action, actions))
    if (list.indexOf(action) < index) errors.push(duplicate(`${path}[${index}]`, action))
  }
  if (list.includes('Deny') && list.includes('Warn')) {
    const why = 'repeating the same validation failure information in the API response and headers serves no purpose'
    errors.push(invalidValue(path, list, `must not contain both Deny and Warn (${why})`))
  }
  return errors
}
