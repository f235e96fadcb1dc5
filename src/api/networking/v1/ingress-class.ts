import { defineKind } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import {
  forbiddenField,
  immutableField,
  invalidForEach,
  invalidValue,
  notSupported,
  required,
} from '../../meta/field-errors.ts'
import { isFullyQualifiedName } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { pathSegment } from '../../meta/names.ts'
import type { IngressClass, IngressClassParametersReference } from '../../types/networking.v1.ts'

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
  const errors: FieldError[] = []
  if (controller === '') errors.push(required('spec.controller'))
  else if (controller.length > maxControllerLength) {
    const message = `Too long: may not be more than ${maxControllerLength} bytes`
    errors.push({ type: 'FieldValueTooLong', field: 'spec.controller', message })
  } else if (!isFullyQualifiedName(controller.split('/').slice(0, 2).join('/'))) {
    const detail = 'must be a domain-prefixed path (such as "acme.io/foo")'
    errors.push(invalidValue('spec.controller', controller, detail))
  }
  return parameters === undefined ? errors : [...errors, ...validateParameters(parameters, 'spec.parameters')]
}

function validateParameters(parameters: IngressClassParametersReference, path: string): FieldError[] {
  const { kind, name, scope, namespace } = parameters
  const errors: FieldError[] = []
  if (kind === '') errors.push(required(`${path}.kind`, 'kind is required'))
  else errors.push(...invalidForEach(`${path}.kind`, kind, pathSegment(kind)))
  if (name === '') errors.push(required(`${path}.name`, 'name is required'))
  else errors.push(...invalidForEach(`${path}.name`, name, pathSegment(name)))
  const scopes = ['Cluster', 'Namespace']
  if (scope !== undefined && !scopes.includes(scope)) errors.push(notSupported(`${path}.scope`, scope, scopes))
  if (scope === 'Namespace' && (namespace ?? '') === '') {
    errors.push(required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"))
  }
  if (scope === 'Cluster' && namespace !== undefined) {
    errors.push(forbiddenField(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"))
  }
  return errors
}
