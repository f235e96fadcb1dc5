import { invalidValue, required } from '../../meta/field-errors.ts'
import { isSameJson } from '../../meta/merge-patch.ts'
import { dns1035Label } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { CustomResourceDefinitionVersion } from '../../types/apiextensions.v1.ts'
import { validateSchema } from '../structural/validate-schema.ts'
import {
  validateColumn,
  validateDeprecation,
  validateScale,
  validateSelectableFields,
} from './validate-version-parts.ts'

type Version = CustomResourceDefinitionVersion

/** What all versions have alike is kept, and told of, once for all of them. */
interface Shared {
  readonly schema: boolean
  readonly subresources: boolean
  readonly columns: boolean
  readonly selectableFields: boolean
}

function sharedParts(versions: readonly Version[]): Shared {
  const isShared = (part: (version: Version) => unknown): boolean => {
    const [first] = versions
    return first !== undefined && versions.every((version) => isSameJson(part(version) ?? null, part(first) ?? null))
  }
  return {
    schema: isShared(({ schema }) => schema),
    subresources: isShared(({ subresources }) => subresources),
    columns: isShared(({ additionalPrinterColumns }) => additionalPrinterColumns),
    selectableFields: isShared(({ selectableFields }) => selectableFields),
  }
}

/** Each version of a definition, and that exactly one of them is stored. */
export function validateVersions(versions: readonly Version[], path: string): FieldError[] {
  const shared = sharedParts(versions)
  const errors = versions.flatMap(({ schema }, index) =>
    schema?.openAPIV3Schema === undefined
      ? [required(`${path}[${index}].schema.openAPIV3Schema`, 'schemas are required')]
      : [],
  )
  errors.push(...versions.flatMap((version, index) => validateVersion(version, shared, `${path}[${index}]`)))
  const shown = versions.map((version) => versionForMessage(version, shared))
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    errors.push(invalidValue(path, shown, 'must contain unique version names'))
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    errors.push(invalidValue(path, shown, 'must have exactly one version marked as storage version'))
  }
  return errors
}

function validateVersion(version: Version, shared: Shared, path: string): FieldError[] {
  const wrong = dns1035Label(version.name)
  const errors = wrong.length === 0 ? [] : [invalidValue(`${path}.name`, version.name, wrong.join(','))]
  errors.push(...validateDeprecation(version, path))
  const schema = version.schema?.openAPIV3Schema
  if (!shared.schema && schema !== undefined) errors.push(...validateSchema(schema, `${path}.schema.openAPIV3Schema`))
  const own: Shared = {
    ...shared,
    schema: true,
    subresources: !shared.subresources,
    columns: !shared.columns,
    selectableFields: !shared.selectableFields,
  }
  return [...errors, ...validateParts(version, own, path)]
}

function validateParts(version: Version, which: Shared, path: string): FieldError[] {
  const { subresources, additionalPrinterColumns: columns, selectableFields, schema } = version
  return [
    ...(which.subresources ? validateScale(subresources?.scale, `${path}.subresources.scale`) : []),
    ...(which.columns
      ? (columns ?? []).flatMap((column, index) => validateColumn(column, `${path}.additionalPrinterColumns[${index}]`))
      : []),
    ...(which.selectableFields
      ? validateSelectableFields(selectableFields ?? [], schema?.openAPIV3Schema, `${path}.selectableFields`)
      : []),
  ]
}

/** Errors of what all versions share; their paths leave the versions out. */
export function validateShared(versions: readonly Version[], path: string): FieldError[] {
  const shared = sharedParts(versions)
  const [first] = versions
  if (first === undefined) return []
  const schema = first.schema?.openAPIV3Schema
  return [
    ...(shared.schema && schema !== undefined ? validateSchema(schema, `${path}.validation.openAPIV3Schema`) : []),
    ...validateParts(first, shared, path),
  ]
}

function versionForMessage(version: Version, shared: Shared): object {
  const { name, served, storage, deprecated = false, deprecationWarning = null, schema, subresources } = version
  return {
    Name: name,
    Served: served,
    Storage: storage,
    Deprecated: deprecated,
    DeprecationWarning: deprecationWarning,
    Schema: shared.schema ? null : (schema ?? null),
    Subresources: shared.subresources ? null : (subresources ?? null),
    AdditionalPrinterColumns: shared.columns ? null : (version.additionalPrinterColumns ?? null),
    SelectableFields: shared.selectableFields ? null : (version.selectableFields ?? null),
  }
}

/** The versions of stored objects: the storage version is one of them, and none of them may go. */
export function validateStoredVersions(
  stored: readonly string[],
  versions: readonly Version[],
  path: string,
): FieldError[] {
  if (stored.length === 0) return [invalidValue(path, null, 'must have at least one stored version')]
  const shared = sharedParts(versions)
  const missing = versions
    .filter(({ storage, name }) => storage && !stored.includes(name))
    .map((version) =>
      invalidValue(path, versionForMessage(version, shared), `must have the storage version ${version.name}`),
    )
  const lost = stored.flatMap((name, index) => {
    if (versions.some((version) => version.name === name)) return []
    const why = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`
    return [invalidValue(`${path}[${index}]`, name, why)]
  })
  return [...missing, ...lost]
}
