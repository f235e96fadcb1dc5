import type { ServedResource as CatalogResource } from '#api/schema/catalog.ts'
import { once, schemaTypes } from '#api/schema/load.ts'
import type { SchemaType } from '#api/schema/shapes.ts'
import type { Descriptions } from './descriptions.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import { customSchemas, customTypeName, swaggerSchema } from './custom-schemas.ts'
import { styleV2, styleV3 } from './operation-styles.ts'
import { pathObjects } from './path-objects.ts'
import { resourcesPath, rootPath, rootPathObject } from './root-documents.ts'
import { referencesOf, schemaObject } from './schema-objects.ts'

type Json = Record<string, unknown>

const info = { title: 'Kubernetes', version: 'v1.36.2' }

/** The OpenAPI 3.0 document of one group and version. Built on demand: nobody needs it but people at a command line. */
export function openApiV3(
  resources: readonly CatalogResource[],
  custom: readonly ServedResource[],
  descriptions: Descriptions,
): object {
  const schemas = schemaObjects(resources, '#/components/schemas/', descriptions, custom.length > 0 ? customRoots : [])
  for (const resource of custom) Object.assign(schemas, customSchemas(resource, '#/components/schemas/'))
  const typeOf = typeNameAmong(custom)
  const owners = [...resources, ...custom].map((resource) => pathObjects({ resource, style: styleV3, typeOf }))
  const [first] = [...resources, ...custom]
  const list = first === undefined ? {} : rootPathObject(resourcesPath(first.group, first.version), styleV3)
  return documentV3(Object.assign({}, list, ...owners) as Json, schemas)
}

/** The OpenAPI 3.0 document of a path of discovery; undefined if there is none. */
export function openApiV3Root(
  document: string,
  isGroup: (group: string) => boolean,
  descriptions: Descriptions,
): object | undefined {
  const root = rootPath(document, isGroup)
  if (root === undefined) return undefined
  const { answers } = root.operation
  const schemas = answers === undefined ? {} : typesFrom([answers], '#/components/schemas/', descriptions)
  return documentV3(rootPathObject(root, styleV3), schemas)
}

function documentV3(paths: Json, schemas: Json): object {
  return { openapi: '3.0.0', info, paths, components: { schemas, securitySchemes } }
}

const securitySchemes = {
  BearerToken: { type: 'apiKey', description: 'Bearer Token authentication', name: 'authorization', in: 'header' },
}

/** The Swagger 2.0 document of everything. */
export function openApiV2(
  resources: readonly CatalogResource[],
  custom: readonly ServedResource[],
  descriptions: Descriptions,
): object {
  const definitions = swaggerForm(schemaObjects(resources, '#/definitions/', descriptions)) as Json
  for (const resource of custom) {
    for (const [name, schema] of Object.entries(customSchemas(resource, '#/definitions/'))) {
      definitions[name] = swaggerSchema(schema)
    }
  }
  const typeOf = typeNameAmong(custom)
  const owners = [...resources, ...custom].map((resource) => pathObjects({ resource, style: styleV2, typeOf }))
  return { swagger: '2.0', info, paths: Object.assign({}, ...owners) as Json, definitions }
}

/** Swagger knows no `oneOf`, and beside a `$ref` only the description: a quantity becomes a string, a wrapped reference a bare one. */
function swaggerForm(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(swaggerForm)
  if (typeof value !== 'object' || value === null) return value
  const { oneOf, allOf, ...rest } = value as Json
  if (Array.isArray(oneOf)) return { ...rest, type: 'string' }
  if (Array.isArray(allOf)) {
    const { description } = rest
    return { ...(description !== undefined && { description }), ...(allOf[0] as Json) }
  }
  return Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, swaggerForm(item)]))
}

const customRoots = ['APIResourceList', 'ObjectMeta', 'ListMeta', 'Status', 'DeleteOptions', 'Patch', 'WatchEvent'].map(
  (kind) => `io.k8s.apimachinery.pkg.apis.meta.v1.${kind}`,
)

function typeNameAmong(custom: readonly ServedResource[]): typeof typeName {
  const groups = new Set(custom.map(({ group }) => group))
  return (group, version, kind) => {
    const name = typeName(group, version, kind)
    return name === kind && groups.has(group) ? customTypeName(group, version, kind) : name
  }
}

function schemaObjects(
  resources: readonly CatalogResource[],
  refPrefix: string,
  descriptions: Descriptions,
  more: readonly string[] = [],
): Json {
  return typesFrom([...resources.flatMap(rootTypes), ...more], refPrefix, descriptions)
}

/** The types named and all that they refer to. */
function typesFrom(names: readonly string[], refPrefix: string, descriptions: Descriptions): Json {
  const types = schemaTypes()
  const schemas: Json = {}
  const waiting = [...names]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const type: SchemaType | undefined = types[name]
    if (type === undefined || name in schemas) continue
    const typeName = name
    schemas[name] = schemaObject(type, refPrefix, (field) => descriptions.of(typeName, field))
    waiting.push(...referencesOf(type))
  }
  return schemas
}

const always = ['APIResourceList', 'Status', 'DeleteOptions', 'Patch', 'WatchEvent'].map(
  (kind) => `io.k8s.apimachinery.pkg.apis.meta.v1.${kind}`,
)

function rootTypes({ group, version, kind, subresources }: CatalogResource): string[] {
  const below = [...subresources.values()].map((each) => typeName(each.group, each.version, each.kind))
  return [typeName(group, version, kind), typeName(group, version, `${kind}List`), ...below, ...always]
}

/** The name a kind's type has in the schema; the kind itself for the options of connections, which have none. */
function typeName(group: string, version: string, kind: string): string {
  const wanted = group === '' ? `${version}/${kind}` : `${group}/${version}/${kind}`
  return namesByKind().get(wanted) ?? kind
}

const namesByKind = once((): ReadonlyMap<string, string> => {
  const entries = Object.entries(schemaTypes()).flatMap(([name, type]) =>
    (type.gvk ?? []).map((gvk) => [gvk, name] as const),
  )
  return new Map(entries)
})
