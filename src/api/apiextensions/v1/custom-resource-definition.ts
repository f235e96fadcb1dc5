import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { nameAndCreation } from '../../meta/cells.ts'
import { immutableField, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { writeNull } from '../../meta/write-null.ts'
import { additionalOf, itemsOf, type Schema } from '../structural/schema.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionSpec } from '../../types/apiextensions.v1.ts'
import { validateConversion } from './validate-conversion.ts'
import { validateNames } from './validate-names.ts'
import { validateShared, validateStoredVersions, validateVersions } from './validate-versions.ts'

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
  validatesUpdateAlone: true,
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

function validateDefinition(definition: CustomResourceDefinition): FieldError[] {
  const { metadata, spec } = definition
  const wanted = `${spec.names.plural}.${spec.group}`
  const errors =
    metadata.name === wanted
      ? []
      : [invalidValue('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group')]
  return [...errors, ...validateSpec(spec), ...validateRest(definition)]
}

function validateSpec(spec: CustomResourceDefinitionSpec): FieldError[] {
  const versions = spec.versions ?? []
  return [
    ...validateGroup(spec.group, 'spec.group'),
    ...validateScope(spec.scope, 'spec.scope'),
    ...validateNoDefaults(spec, 'spec.preserveUnknownFields'),
    ...validateVersions(versions, 'spec.versions'),
    ...validateNames(spec.names, 'spec.names'),
    ...validateShared(versions, 'spec'),
    ...validateConversion(spec.conversion, 'spec.conversion'),
  ]
}

/** What is asked of a definition beyond its spec. */
function validateRest({ metadata, spec, status }: CustomResourceDefinition): FieldError[] {
  return [
    ...validateStoredVersions(status?.storedVersions ?? [], spec.versions ?? [], 'status.storedVersions'),
    ...validateApproval(metadata.annotations, spec.group),
    ...validatePreserving(spec, 'spec.preserveUnknownFields'),
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

function validateNoDefaults(
  { preserveUnknownFields, versions }: CustomResourceDefinitionSpec,
  path: string,
): FieldError[] {
  const usesDefaults = (versions ?? []).some(
    ({ schema }) => schema?.openAPIV3Schema && hasDefaults(schema.openAPIV3Schema),
  )
  if (preserveUnknownFields !== true || !usesDefaults) return []
  return [invalidValue(path, true, 'must be false in order to use defaults in the schema')]
}

function validatePreserving({ preserveUnknownFields }: CustomResourceDefinitionSpec, path: string): FieldError[] {
  if (preserveUnknownFields !== true) return []
  const instead =
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'
  return [invalidValue(path, true, instead)]
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
  const wrong = dnsSubdomain(group)
  if (wrong.length > 0) return [invalidValue(path, group, wrong.join(','))]
  return group.includes('.') ? [] : [invalidValue(path, group, 'should be a domain with at least one dot')]
}

function validateScope(scope: string, path: string): FieldError[] {
  const scopes = ['Cluster', 'Namespaced']
  if (scope === '') return [required(path)]
  return scopes.includes(scope) ? [] : [notSupported(path, scope, scopes)]
}

/** Where objects are stored cannot change; nor can what clients know them by, once that is established. */
function validateDefinitionUpdate(now: CustomResourceDefinition, old: CustomResourceDefinition): FieldError[] {
  const { spec } = now
  const { spec: before, status } = old
  const errors = validateSpec(spec)
  const fixed = (path: string, value: string, kept: string): void => {
    if (value !== kept) errors.push(invalidValue(path, value, immutableField))
  }
  if (status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True') === true) {
    fixed('spec.scope', spec.scope, before.scope)
    fixed('spec.names.kind', spec.names.kind, before.names.kind)
  }
  fixed('spec.group', spec.group, before.group)
  fixed('spec.names.plural', spec.names.plural, before.names.plural)
  return [...errors, ...validateRest(now)]
}
