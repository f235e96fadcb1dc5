import { forbiddenField, invalidForEach, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../../meta/names.ts'
import { compareQuantities } from '../../meta/quantity.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateAnnotations, validateLabelSelector, validateLabels } from '../../meta/validate-labels.ts'
import type { PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate } from '../../types/core.v1.ts'
import { validateAccessModes } from './validate-access-modes.ts'

/** The spec of a claim, or of one that is made for a pod. */
export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const { accessModes, selector, storageClassName, volumeMode, volumeAttributesClassName } = spec
  const errors: FieldError[] = []
  if ((accessModes ?? []).length === 0) {
    errors.push(required(`${path}.accessModes`, 'at least 1 access mode is required'))
  }
  errors.push(
    ...validateLabelSelector(selector, `${path}.selector`),
    ...validateAccessModes(accessModes, `${path}.accessModes`),
    ...validateStorage(spec.resources?.requests?.['storage'], `${path}.resources[storage]`),
    ...named(storageClassName, `${path}.storageClassName`),
  )
  const volumeModes = ['Block', 'Filesystem']
  if (volumeMode !== undefined && !volumeModes.includes(volumeMode)) {
    errors.push(notSupported(`${path}.volumeMode`, volumeMode, volumeModes))
  }
  errors.push(...validateSources(spec, path))
  return [...errors, ...named(volumeAttributesClassName, `${path}.volumeAttributesClassName`)]
}

function validateStorage(storage: string | undefined, path: string): FieldError[] {
  if (storage === undefined) return [required(path)]
  return compareQuantities(storage, '0') <= 0 ? [invalidValue(path, storage, 'must be greater than zero')] : []
}

function named(name: string | undefined, path: string): FieldError[] {
  return name === undefined || name === '' ? [] : invalidForEach(path, name, dnsSubdomain(name))
}

function validateSources({ dataSource, dataSourceRef }: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const errors = [
    ...validateSource(dataSource, `${path}.dataSource`),
    ...validateSource(dataSourceRef, `${path}.dataSourceRef`),
  ]
  if (dataSource === undefined || dataSourceRef === undefined) return errors
  const { namespace = '' } = dataSourceRef
  if (namespace !== '') {
    const detail = 'may not be specified when dataSourceRef.namespace is specified'
    return [...errors, invalidValue(path, sourcePathForMessage, detail)]
  }
  const same = (['apiGroup', 'kind', 'name'] as const).every(
    (field) => (dataSource[field] ?? '') === (dataSourceRef[field] ?? ''),
  )
  return same ? errors : [...errors, invalidValue(path, sourcePathForMessage, 'must match dataSourceRef')]
}

/** The API server means to show the path of the field, and shows what an object without public fields looks like. */
const sourcePathForMessage: object = {}

interface Source {
  readonly apiGroup?: string | null | undefined
  readonly kind: string
  readonly name: string
  readonly namespace?: string | undefined
}

function validateSource(source: Source | undefined, path: string): FieldError[] {
  if (source === undefined) return []
  const { kind = '', name = '', namespace = '' } = source as Partial<Source>
  const apiGroup = source.apiGroup ?? ''
  const errors: FieldError[] = []
  if (name === '') errors.push(required(`${path}.name`))
  if (kind === '') errors.push(required(`${path}.kind`))
  if (apiGroup === '' && kind !== 'PersistentVolumeClaim') {
    errors.push(invalidValue(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
  }
  if (apiGroup !== '') errors.push(...invalidForEach(`${path}.apiGroup`, apiGroup, dnsSubdomain(apiGroup)))
  return namespace === '' ? errors : [...errors, ...invalidForEach(`${path}.namespace`, namespace, dnsLabel(namespace))]
}

/** Of the metadata a template for claims may give labels and annotations. */
export function validateClaimTemplate(template: PersistentVolumeClaimTemplate, path: string): FieldError[] {
  const { metadata = {}, spec } = template
  const { annotations, labels, ...others } = metadata
  const set = Object.entries(others).filter(([, value]) => value !== undefined && value !== null && value !== '')
  const rank = (field: string): number => metadataFields.indexOf(field)
  return [
    ...validateAnnotations(annotations, `${path}.metadata.annotations`),
    ...validateLabels(labels, `${path}.metadata.labels`),
    ...set
      .map(([field]) => field)
      .sort((left, right) => rank(left) - rank(right))
      .map((field) => forbiddenField(`${path}.metadata.${shownAs[field] ?? field}`, 'cannot be set')),
    ...validateClaimSpec(spec ?? {}, `${path}.spec`),
  ]
}

const shownAs: Readonly<Record<string, string>> = { uid: 'uID' }
const metadataFields = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'ownerReferences',
  'finalizers',
  'managedFields',
]
