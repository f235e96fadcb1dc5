import { defineKind } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import {
  forbiddenField,
  immutableField,
  invalidForEach,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '../../meta/field-errors.ts'
import { dnsLabel } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { IngressClass, IngressClassParametersReference } from '../../types/networking.v1.ts'
import { validateDomainPath } from '../../meta/validate-domain-path.ts'
import { validateTypedReference } from './validate-typed-reference.ts'

export const ingressClass = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  hasGeneration: true,
  setDefaults(draft) {
    const { parameters } = (draft.spec ??= {})
    if (parameters !== undefined) parameters.scope ??= 'Cluster'
  },
  validate: validateClass,
  validateUpdate: ({ spec: now }, { spec: old }) =>
    now.controller === old.controller ? [] : [invalidValue('spec.controller', now.controller ?? '', immutableField)],
  cells: ({ metadata, spec }, nowMs) => [
    metadata.name,
    spec.controller ?? '',
    spec.parameters === undefined ? '<none>' : parametersCell(spec.parameters),
    ageOf(metadata.creationTimestamp, nowMs),
  ],
})

function parametersCell({ apiGroup, kind, name }: IngressClassParametersReference): string {
  return apiGroup === undefined ? `${kind}/${name}` : `${kind}.${apiGroup}/${name}`
}

const maxControllerLength = 250

function validateClass({ spec }: IngressClass): FieldError[] {
  const { controller = '', parameters } = spec
  const errors = controller.length > maxControllerLength ? [tooLong('spec.controller', maxControllerLength)] : []
  errors.push(...validateDomainPath(controller, 'spec.controller'))
  return parameters === undefined ? errors : [...errors, ...validateParameters(parameters, 'spec.parameters')]
}

function validateParameters(parameters: IngressClassParametersReference, path: string): FieldError[] {
  const { scope, namespace } = parameters
  const errors = validateTypedReference(parameters, path)
  const scopes = ['Cluster', 'Namespace']
  if (scope === undefined) return [...errors, required(`${path}.scope`)]
  if (!scopes.includes(scope)) errors.push(notSupported(`${path}.scope`, scope, scopes))
  if (scope === 'Namespace') {
    errors.push(
      ...(namespace === undefined
        ? [required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'")]
        : invalidForEach(`${path}.namespace`, namespace, dnsLabel(namespace))),
    )
  }
  if (scope === 'Cluster' && namespace !== undefined) {
    errors.push(forbiddenField(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"))
  }
  return errors
}
