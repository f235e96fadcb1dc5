import { duplicate, invalidValue, required, tooMany } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresourceScale,
  SelectableField,
} from '../../types/apiextensions.v1.ts'
import type { Schema } from '../structural/schema.ts'

type Version = CustomResourceDefinitionVersion

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string']
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

/** One column of `kubectl get`. */
export function validateColumn(column: CustomResourceColumnDefinition, path: string): FieldError[] {
  const { name, type, format = '', jsonPath } = column
  const errors = name === '' ? [required(`${path}.name`)] : []
  const typeRule = `must be one of ${columnTypes.join(',')}`
  if (type === '') errors.push(required(`${path}.type`, typeRule))
  else if (!columnTypes.includes(type)) errors.push(invalidValue(`${path}.type`, type, typeRule))
  if (format !== '' && !columnFormats.includes(format)) {
    errors.push(invalidValue(`${path}.format`, format, `must be one of ${columnFormats.join(',')}`))
  }
  const at = `${path}.JSONPath`
  return [...errors, ...(jsonPath === '' ? [required(at)] : validateSimplePath(jsonPath, at))]
}

function validateSimplePath(text: string, path: string): FieldError[] {
  return text.startsWith('.') ? [] : [invalidValue(path, text, 'must be a simple json path starting with .')]
}

/** Where the replicas of a resource stand: wishes in its spec, facts in its status. */
export function validateScale(scale: CustomResourceSubresourceScale | undefined, path: string): FieldError[] {
  if (scale === undefined) return []
  const { specReplicasPath, statusReplicasPath, labelSelectorPath = '' } = scale
  const errors = [
    ...validateUnder(specReplicasPath, 'spec', `${path}.specReplicasPath`),
    ...validateUnder(statusReplicasPath, 'status', `${path}.statusReplicasPath`),
  ]
  if (labelSelectorPath === '') return errors
  const at = `${path}.labelSelectorPath`
  const wrong = validateSimplePath(labelSelectorPath, at)
  if (wrong.length > 0 || /^\.(?:spec|status)\./.test(labelSelectorPath)) return [...errors, ...wrong]
  const detail = 'should be a json path under either .spec or .status'
  return [...errors, invalidValue(at, labelSelectorPath, detail)]
}

function validateUnder(text: string, parent: string, path: string): FieldError[] {
  if (!text) return [required(path)]
  const wrong = validateSimplePath(text, path)
  if (wrong.length > 0 || text.startsWith(`.${parent}.`)) return wrong
  return [invalidValue(path, text, `should be a json path under .${parent}`)]
}

const maxWarningLength = 256

/** What clients of a deprecated version are told. */
export function validateDeprecation({ deprecated, deprecationWarning: warning }: Version, path: string): FieldError[] {
  if (warning === undefined) return []
  const wrong: string[] = []
  if (deprecated !== true) wrong.push('can only be set for deprecated versions')
  if (warning.length > maxWarningLength) wrong.push(`must be <= ${maxWarningLength} characters long`)
  if (warning === '') wrong.push('must not be an empty string')
  const index = warning.search(/[\p{C}\p{Zl}\p{Zp}]/u)
  const printable = 'must only contain printable UTF-8 characters; non-printable character found at index'
  if (index >= 0) wrong.push(`${printable} ${index}`)
  return wrong.map((detail) => invalidValue(`${path}.deprecationWarning`, warning, detail))
}

const maxSelectableFields = 8

/** Fields that lists may be selected by: a few plain values. */
export function validateSelectableFields(
  fields: readonly SelectableField[],
  schema: Schema | undefined,
  path: string,
): FieldError[] {
  if (fields.length === 0) return []
  if (schema === undefined) {
    const detail = 'selectableFields may only be set when version.schema.openAPIV3Schema is not nil'
    return [invalidValue(path, '', detail)]
  }
  const known = new Set<string>()
  const errors = fields.flatMap(({ jsonPath }, index) => {
    const at = `${path}[${index}].jsonPath`
    const wrong = wrongSelectable(jsonPath, schema)
    if (jsonPath === '') return [required(at)]
    if (wrong !== undefined) return [invalidValue(at, jsonPath, wrong)]
    if (known.has(jsonPath)) return [duplicate(at, jsonPath)]
    known.add(jsonPath)
    return []
  })
  return known.size > maxSelectableFields ? [...errors, tooMany(path, known.size, maxSelectableFields)] : errors
}

function wrongSelectable(jsonPath: string, schema: Schema): string | undefined {
  const [first = '', ...names] = jsonPath.split('.')
  if (first !== '' || names.length === 0) return 'is an invalid path: does not refer to a valid field'
  if (names[0] === 'metadata') return 'must not point to fields in metadata'
  let found: Schema | undefined = schema
  for (const name of names) {
    const properties: Readonly<Record<string, Schema>> = found?.properties ?? {}
    found = Object.hasOwn(properties, name) ? properties[name] : undefined
  }
  if (found === undefined) return 'is an invalid path: does not refer to a valid field'
  if (['string', 'boolean', 'integer'].includes(found.type ?? '')) return undefined
  return 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'
}
