import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { nameAndCreation } from '../../meta/cells.ts'
import { immutableField, invalidForEach, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { isSameJson } from '../../meta/merge-patch.ts'
import { dns1035Label, dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { writeNull } from '../../meta/write-null.ts'
import { additionalOf, itemsOf, type Schema } from '../structural/schema.ts'
import { validateSchema } from '../structural/validate-schema.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionSpec } from '../../types/apiextensions.v1.ts'

/** What a definition says of itself; the schemas inside are checked by who builds kinds from them. */
export const customResourceDefinition = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  hasGeneration: true,
  setDefaults: setDefinitionDefaults,
  prepareForCreate(draft) {
    const storage = draft.spec.versions?.find((version) => version.storage)
    draft.status = {
      acceptedNames: { plural: '', kind: '' },
      storedVersions: storage === undefined ? [] : [storage.name],
    }
    writeNull(draft.status, 'conditions')
  },
  prepareForUpdate(draft, old) {
    draft.status = structuredClone(old.status ?? {}) as NonNullable<typeof draft.status>
    const storage = draft.spec.versions?.find((version) => version.storage)?.name
    const stored = draft.status.storedVersions ?? []
    if (storage !== undefined && !stored.includes(storage)) draft.status.storedVersions = [...stored, storage]
  },
  validate: validateDefinition,
  validateUpdate: validateDefinitionUpdate,
  cells: nameAndCreation,
  requiresResourceVersion: true,
})

const httpsPort = 443

function setDefinitionDefaults(draft: Draft<CustomResourceDefinition>): void {
  const spec = (draft.spec ??= {} as Draft<CustomResourceDefinitionSpec>)
  const conversion = (spec.conversion ??= { strategy: 'None' })
  conversion.strategy ||= 'None'
  if (conversion.webhook?.clientConfig?.service !== undefined)
    conversion.webhook.clientConfig.service.port ??= httpsPort
  const { names } = spec
  if (names === undefined) return
  const kind = names.kind ?? ''
  if (kind === '') return
  names.singular ||= kind.toLowerCase()
  names.listKind ||= `${kind}List`
}

function validateDefinition({ metadata, spec }: CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = []
  const wanted = `${spec.names.plural}.${spec.group}`
  if (metadata.name !== wanted) {
    errors.push(invalidValue('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'))
  }
  errors.push(...validateGroup(spec.group, 'spec.group'), ...validateScope(spec.scope, 'spec.scope'))
  return [
    ...errors,
    ...validateApproval(metadata.annotations, spec.group),
    ...validateVersions(spec),
    ...validateSchemas(spec),
    ...validatePreserving(spec),
    ...validateNames(spec),
    ...validateConversion(spec),
  ]
}

const approvalAnnotation = 'api-approved.kubernetes.io'

/** Groups of the Kubernetes project are not for everybody (KEP-1111). */
function validateApproval(annotations: Readonly<Record<string, string>> | undefined, group: string): FieldError[] {
  const isProtected = /(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)
  if (!isProtected || annotations?.[approvalAnnotation]) return []
  const detail = `protected groups must have approval annotation ${JSON.stringify(approvalAnnotation)}, see https://github.com/kubernetes/enhancements/pull/1111`
  return [required(`metadata.annotations[${approvalAnnotation}]`, detail)]
}

/** Versions that all have the same schema are told of it once. */
function validateSchemas({ versions }: CustomResourceDefinitionSpec): FieldError[] {
  const schemas = (versions ?? []).map(({ schema }) => schema?.openAPIV3Schema)
  const [first] = schemas
  if (first !== undefined && schemas.every((schema) => isSameJson(schema, first))) {
    return validateSchema(first, 'spec.validation.openAPIV3Schema')
  }
  return schemas.flatMap((schema, index) =>
    schema === undefined ? [] : validateSchema(schema, `spec.versions[${index}].schema.openAPIV3Schema`),
  )
}

function validatePreserving({ preserveUnknownFields, versions }: CustomResourceDefinitionSpec): FieldError[] {
  if (preserveUnknownFields !== true) return []
  const path = 'spec.preserveUnknownFields'
  const usesDefaults = (versions ?? []).some(
    ({ schema }) => schema?.openAPIV3Schema && hasDefaults(schema.openAPIV3Schema),
  )
  const instead =
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'
  return [
    ...(usesDefaults ? [invalidValue(path, true, 'must be false in order to use defaults in the schema')] : []),
    invalidValue(path, true, instead),
  ]
}

function hasDefaults(schema: Schema): boolean {
  const additional = additionalOf(schema)
  const items = itemsOf(schema)
  return (
    schema.default !== undefined ||
    Object.values(schema.properties ?? {}).some(hasDefaults) ||
    (items !== undefined && hasDefaults(items)) ||
    (additional !== undefined && additional !== true && hasDefaults(additional))
  )
}

function validateGroup(group: string, path: string): FieldError[] {
  if (group === '') return [required(path)]
  const errors = invalidForEach(path, group, dnsSubdomain(group))
  if (group.split('.').length < 2) errors.push(invalidValue(path, group, 'should be a domain with at least one dot'))
  return errors
}

function validateScope(scope: string, path: string): FieldError[] {
  const scopes = ['Cluster', 'Namespaced']
  if (scope === '') return [required(path)]
  return scopes.includes(scope) ? [] : [notSupported(path, scope, scopes)]
}

function validateVersions({ versions }: CustomResourceDefinitionSpec): FieldError[] {
  const path = 'spec.versions'
  const errors: FieldError[] = []
  const list = versions ?? []
  for (const [index, { name, schema }] of list.entries()) {
    const at = `${path}[${index}]`
    errors.push(...invalidForEach(`${at}.name`, name, dns1035Label(name)))
    if (schema?.openAPIV3Schema === undefined) {
      errors.push(required(`${at}.schema.openAPIV3Schema`, 'schemas are required'))
    }
    if (list.findIndex((version) => version.name === name) < index) {
      errors.push(
        invalidValue(
          path,
          list.map((version) => version.name),
          'must contain unique version names',
        ),
      )
    }
  }
  if (list.filter(({ storage }) => storage).length !== 1) {
    errors.push(invalidValue(path, list, 'must have exactly one version marked as storage version'))
  }
  return errors
}

function validateNames({ names }: CustomResourceDefinitionSpec): FieldError[] {
  const { plural, singular = '', kind, listKind = '', shortNames = [], categories = [] } = names
  const errors: FieldError[] = []
  const label = (value: string, path: string, shown: string = value): void => {
    if (value === '') errors.push(required(path))
    else errors.push(...invalidForEach(path, shown, dns1035Label(value)))
  }
  label(plural, 'spec.names.plural')
  label(singular, 'spec.names.singular')
  label(kind.toLowerCase(), 'spec.names.kind', kind)
  label(listKind.toLowerCase(), 'spec.names.listKind', listKind)
  for (const [index, name] of shortNames.entries()) label(name, `spec.names.shortNames[${index}]`)
  for (const [index, name] of categories.entries()) label(name, `spec.names.categories[${index}]`)
  if (kind === listKind)
    errors.push(invalidValue('spec.names.listKind', listKind, 'kind and listKind may not be the same'))
  return errors
}

function validateConversion({ conversion }: CustomResourceDefinitionSpec): FieldError[] {
  const path = 'spec.conversion'
  const strategy = conversion?.strategy ?? ''
  if (strategy === '') return [required(`${path}.strategy`)]
  if (strategy === 'Webhook') {
    return conversion?.webhook?.clientConfig === undefined
      ? [required(`${path}.webhook.clientConfig`, 'required when strategy is set to Webhook')]
      : []
  }
  return strategy === 'None' ? [] : [notSupported(`${path}.strategy`, strategy, ['None', 'Webhook'])]
}

function validateDefinitionUpdate(
  { spec: now }: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] {
  const errors: FieldError[] = []
  const { spec: before, status } = old
  for (const [index, stored] of (status?.storedVersions ?? []).entries()) {
    if ((now.versions ?? []).some(({ name }) => name === stored)) continue
    const why = `missing from spec.versions; ${stored} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${stored} and removes ${stored} from status.storedVersions`
    errors.push(invalidValue(`status.storedVersions[${index}]`, stored, why))
  }
  const established = status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True')
  if (now.group !== before.group) errors.push(invalidValue('spec.group', now.group, immutableField))
  if (now.names.plural !== before.names.plural) {
    errors.push(invalidValue('spec.names.plural', now.names.plural, immutableField))
  }
  if (established !== true) return errors
  if (now.scope !== before.scope) errors.push(invalidValue('spec.scope', now.scope, immutableField))
  if (now.names.kind !== before.names.kind) errors.push(invalidValue('spec.names.kind', now.names.kind, immutableField))
  return errors
}
