import type { Schema } from '#api/apiextensions/structural/schema.ts'
import { isPlainObject } from '#api/schema/own-member.ts'
import type { ServedResource } from '../registry/served-resource.ts'

type Json = Record<string, unknown>

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.'

/** The name of a custom resource's type: its group backwards, as in `com.example.stable.v1.CronTab`. */
export function customTypeName(group: string, version: string, kind: string): string {
  return `${group.split('.').toReversed().join('.')}.${version}.${kind}`
}

/** The types of a custom resource and of its list, as its author wrote the schema; references go to `refPrefix` + name. */
export function customSchemas({ group, version, kind, custom }: ServedResource, refPrefix: string): Json {
  const spec = custom?.definition.spec.versions.find(({ name }) => name === version)
  const schema: Schema = spec?.schema?.openAPIV3Schema ?? { type: 'object' }
  const ref = (name: string): Json => ({ $ref: `${refPrefix}${name}` })
  const identity = {
    apiVersion: { type: 'string', description: 'The version of the schema of this object, with its group.' },
    kind: { type: 'string', description: 'The kind of this object.' },
  }
  const listKind = custom?.listKind ?? `${kind}List`
  return {
    [customTypeName(group, version, kind)]: {
      ...schema,
      properties: { ...schema.properties, ...identity, metadata: { allOf: [ref(`${meta}ObjectMeta`)] } },
      'x-kubernetes-group-version-kind': [{ group, kind, version }],
    },
    [customTypeName(group, version, listKind)]: {
      type: 'object',
      required: ['items'],
      properties: {
        ...identity,
        metadata: { allOf: [ref(`${meta}ListMeta`)] },
        items: { type: 'array', items: ref(customTypeName(group, version, kind)) },
      },
      'x-kubernetes-group-version-kind': [{ group, kind: listKind, version }],
    },
  }
}

const unknownToSwagger: ReadonlySet<string> = new Set(['oneOf', 'anyOf', 'not', 'nullable'])

/** A custom schema as Swagger 2.0 can say it: without choices; what is free in it stays free. */
export function swaggerSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(swaggerSchema)
  if (!isPlainObject(value)) return value
  const { allOf, ...rest } = value
  const [only] = Array.isArray(allOf) ? (allOf as unknown[]) : []
  const reference = isPlainObject(only) && typeof only['$ref'] === 'string' ? only : {}
  const isFree = rest['x-kubernetes-preserve-unknown-fields'] === true
  const kept = Object.entries(rest).filter(([key]) => !unknownToSwagger.has(key) && !(isFree && key === 'properties'))
  return {
    ...Object.fromEntries(
      kept.map(([key, member]) => [key, key === 'properties' ? swaggerProperties(member) : swaggerSchema(member)]),
    ),
    ...reference,
  }
}

/** Here the keys are names of fields, which may be those of keywords. */
function swaggerProperties(properties: unknown): unknown {
  if (!isPlainObject(properties)) return properties
  return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, swaggerSchema(property)]))
}
