import { required } from '../../meta/field-errors.ts'
import type { KubernetesObject } from '../../meta/resource.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateMetadata } from '../../meta/validate-metadata.ts'
import { isPlainObject } from '../../schema/own-member.ts'
import { additionalOf, isEmbedded, itemsOf, type Schema } from './schema.ts'

/** What is wrong with the objects inside an object (`x-kubernetes-embedded-resource`): they must say what they are. */
export function validateEmbedded(schema: Schema, value: unknown, path: string): FieldError[] {
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    return items === undefined ? [] : value.flatMap((item, index) => validateEmbedded(items, item, `${path}[${index}]`))
  }
  if (!isPlainObject(value)) return []
  const additional = additionalOf(schema)
  const own = isEmbedded(schema) ? validateResource(value, path) : []
  const inside = Object.entries(value).flatMap(([key, member]) => {
    const property = schema.properties?.[key] ?? (additional === true ? undefined : additional)
    return property === undefined ? [] : validateEmbedded(property, member, path === '' ? key : `${path}.${key}`)
  })
  return [...own, ...inside]
}

function validateResource(value: Readonly<Record<string, unknown>>, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const key of ['apiVersion', 'kind']) {
    if (typeof value[key] !== 'string' || value[key] === '') errors.push(required(`${path}.${key}`))
  }
  if (!isPlainObject(value['metadata'])) return errors
  const { metadata } = value as unknown as KubernetesObject
  const { name, namespace = '' } = metadata
  // An object inside another needs no name yet, and may be of either scope.
  const named = { ...metadata, name: name || 'unnamed' }
  const object = { ...(value as unknown as KubernetesObject), metadata: named }
  const rules = { namespaced: namespace !== '', builtIn: false }
  return [...errors, ...validateMetadata(object, rules, `${path}.metadata`)]
}
