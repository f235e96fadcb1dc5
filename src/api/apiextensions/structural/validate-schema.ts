import { compilePattern, PatternError } from '#lib/pattern.ts'
import { forbiddenField, invalidValue, notSupported, required, typeInvalid } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { DecodeError, decodeValue } from '../../schema/decode.ts'
import { schemaNode } from '../../schema/node.ts'
import { additionalOf, isEmbedded, isIntOrString, itemsOf, preservesUnknown, type Schema } from './schema.ts'
import { validateRules } from './validate-rules.ts'
import { validateValue } from './validate-value.ts'

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']

/** What is wrong with a schema by itself: it must be structural (Kubernetes docs, "Specifying a structural schema"). */
export function validateSchema(schema: Schema, path: string): FieldError[] {
  if (schema.type !== 'object') {
    const why = 'must be object at the root'
    const type = schema.type ?? ''
    return [
      type === '' ? required(`${path}.type`, 'must not be empty at the root') : invalidValue(`${path}.type`, type, why),
    ]
  }
  return [...validateNode(schema, path), ...validateRules(schema, path)]
}

function validateNode(schema: Schema, path: string): FieldError[] {
  return [
    ...validateType(schema, path),
    ...validateForbidden(schema, path),
    ...validateExtensions(schema, path),
    ...validatePattern(schema, path),
    ...validateDefault(schema, path),
    ...validateChildren(schema, path),
    ...validateLogic(schema, path),
  ]
}

function validateType(schema: Schema, path: string): FieldError[] {
  const { type = '' } = schema
  if (type !== '' && !types.includes(type)) return [notSupported(`${path}.type`, type, types)]
  if (type === '') {
    const isFree = preservesUnknown(schema) || isIntOrString(schema)
    return isFree ? [] : [required(`${path}.type`, 'must not be empty for specified object fields')]
  }
  if (isIntOrString(schema))
    return [invalidValue(`${path}.type`, type, 'must be empty if x-kubernetes-int-or-string is true')]
  if (isEmbedded(schema) && type !== 'object') {
    return [invalidValue(`${path}.type`, type, 'must be object if x-kubernetes-embedded-resource is true')]
  }
  return []
}

const forbidden = [
  '$ref',
  'definitions',
  'dependencies',
  'deprecated',
  'discriminator',
  'id',
  'patternProperties',
  'readOnly',
  'writeOnly',
  'xml',
] as const

function validateForbidden(schema: Schema, path: string): FieldError[] {
  const members = schema as Readonly<Record<string, unknown>>
  const errors = forbidden
    .filter((name) => members[name] !== undefined && name !== '$ref')
    .map((name) => forbiddenField(`${path}.${name}`, `${name} is not supported`))
  if (schema.$ref !== undefined) errors.push(forbiddenField(`${path}.$ref`, '$ref is not supported'))
  if (schema.uniqueItems === true) {
    errors.push(
      forbiddenField(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    )
  }
  if (schema.additionalProperties === false) {
    errors.push(forbiddenField(`${path}.additionalProperties`, 'additionalProperties cannot be set to false'))
  }
  if (
    schema.additionalProperties !== undefined &&
    schema.properties !== undefined &&
    schema.additionalProperties !== false
  ) {
    errors.push(
      forbiddenField(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
    )
  }
  if (Array.isArray(schema.items))
    errors.push(forbiddenField(`${path}.items`, 'items must be a schema object and not an array'))
  return errors
}

function validateExtensions(schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = []
  const listType = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const listTypes = ['atomic', 'map', 'set']
  if (listType !== undefined) {
    if (schema.type !== 'array') {
      errors.push(
        invalidValue(`${path}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'),
      )
    }
    if (!listTypes.includes(listType)) errors.push(notSupported(`${path}.x-kubernetes-list-type`, listType, listTypes))
  }
  if (listType === 'map') errors.push(...validateMapList(schema, keys, path))
  else if (keys.length > 0) {
    errors.push(
      invalidValue(
        `${path}.x-kubernetes-list-type`,
        listType ?? '',
        'must be map if x-kubernetes-list-map-keys is non-empty',
      ),
    )
  }
  const mapType = schema['x-kubernetes-map-type']
  if (mapType !== undefined && mapType !== 'atomic' && mapType !== 'granular') {
    errors.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']))
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    errors.push(invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'))
  }
  if (isEmbedded(schema) && schema.properties === undefined && !preservesUnknown(schema)) {
    errors.push(
      required(
        `${path}.properties`,
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ),
    )
  }
  return errors
}

function validateMapList(schema: Schema, keys: readonly string[], path: string): FieldError[] {
  if (keys.length === 0) {
    return [required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map')]
  }
  const items = itemsOf(schema)
  if (items === undefined) return []
  const errors: FieldError[] = []
  if (items.type !== 'object') {
    errors.push(
      invalidValue(
        `${path}.items.type`,
        items.type ?? '',
        "must be object if parent array's x-kubernetes-list-type is map",
      ),
    )
  }
  for (const key of keys) {
    const property = items.properties?.[key]
    if (property === undefined) {
      errors.push(
        invalidValue(`${path}.x-kubernetes-list-map-keys`, key, 'entries must all be names of item properties'),
      )
    } else if (property.default === undefined && items.required?.includes(key) !== true) {
      errors.push(
        required(
          `${path}.items.properties[${key}].default`,
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        ),
      )
    }
  }
  return errors
}

function validatePattern({ pattern }: Schema, path: string): FieldError[] {
  if (pattern === undefined || pattern === '') return []
  try {
    compilePattern(pattern)
    return []
  } catch (error) {
    if (error instanceof PatternError) {
      return [
        invalidValue(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${error.message}`),
      ]
    }
    throw error
  }
}

function validateDefault(schema: Schema, path: string): FieldError[] {
  if (schema.default === undefined) return []
  return validateValue(schema, schema.default, `${path}.default`)
}

function validateChildren(schema: Schema, path: string): FieldError[] {
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  const errors = Object.entries(schema.properties ?? {}).flatMap(([key, property]) =>
    validateNode(property, `${path}.properties[${key}]`),
  )
  if (schema.type === 'array' && schema.items === undefined) errors.push(required(`${path}.items`, 'must be specified'))
  if (items !== undefined) errors.push(...validateNested(items, `${path}.items`))
  if (additional !== undefined && additional !== true)
    errors.push(...validateNested(additional, `${path}.additionalProperties`))
  return errors
}

const schemaType = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps'

/** Schemas below `items` and `additionalProperties` come as they were sent: they are read before they are judged. */
function validateNested(schema: Schema, path: string): FieldError[] {
  try {
    return validateNode(decodeValue<Schema>(schemaNode(schemaType), schema).object, path)
  } catch (error) {
    if (error instanceof DecodeError) return [typeInvalid(path, 'object', error.message)]
    throw error
  }
}

const structuralOnly = ['default', 'description', 'additionalProperties', 'nullable', 'type'] as const

/** Inside combined schemas only values may be described: what there is, is said outside. */
function validateLogic(schema: Schema, path: string): FieldError[] {
  const { allOf = [], anyOf = [], oneOf = [], not } = schema
  const isChoice = isIntOrString(schema)
  const branches = [
    ...Object.entries({ allOf, anyOf, oneOf }).flatMap(([name, list]) =>
      list.map((branch, index) => [branch, `${path}.${name}[${index}]`] as const),
    ),
    ...(not === undefined ? [] : [[not, `${path}.not`] as const]),
  ]
  return branches.flatMap(([branch, at]) =>
    structuralOnly
      .filter((name) => branch[name] !== undefined && branch[name] !== '' && !(name === 'type' && isChoice))
      .map((name) =>
        forbiddenField(
          `${at}.${name}`,
          name === 'type' ? 'must be empty to be structural' : 'must be undefined to be structural',
        ),
      ),
  )
}
