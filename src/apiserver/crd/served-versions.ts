import { customColumns, customResourceKind } from '#api/apiextensions/custom-resource-kind.ts'
import { scalePathsOf } from '#api/apiextensions/scale-paths.ts'
import { customResourceNode } from '#api/apiextensions/structural/nodes.ts'
import type { Kind } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { Subresource } from '#api/schema/catalog.ts'
import { once } from '#api/schema/load.ts'
import { kindNode, type ObjectNode } from '#api/schema/node.ts'
import type { ResourceRow } from '#api/schema/shapes.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '#api/types/apiextensions.v1.ts'
import { storagePrefix, type ServedResource } from '../registry/served-resource.ts'
import { customConversion, type VersionForm } from './conversion.ts'
import { compareVersions } from './version-order.ts'
import type { ConvertByWebhook } from './webhook-conversion.ts'

/** The verbs of every custom resource, in discovery's order. */
export const customVerbs: readonly string[] = [
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'create',
  'update',
  'watch',
]

/** The resources that a definition adds to the server, one for each served version; none until its names are accepted. */
export function servedVersions(
  definition: CustomResourceDefinition,
  convert: ConvertByWebhook,
): readonly ServedResource[] {
  if (!isEstablished(definition)) return []
  const { versions } = definition.spec
  const storage = versions.find((version) => version.storage)
  if (storage === undefined) return []
  const storedNode = once(() => nodeOf(definition, storage))
  return versions
    .filter((version) => version.served)
    .map((version) => servedVersion(definition, version, { version: storage.name, node: storedNode }, convert))
}

export function isEstablished({ status }: CustomResourceDefinition): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True') === true
}

function nodeOf({ spec }: CustomResourceDefinition, version: CustomResourceDefinitionVersion): ObjectNode {
  return customResourceNode(`${spec.group}.${version.name}.${spec.names.kind}`, version.schema?.openAPIV3Schema)
}

function servedVersion(
  definition: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  stored: VersionForm,
  convertByWebhook: ConvertByWebhook,
): ServedResource {
  const { spec, metadata } = definition
  const { plural, singular = '', kind, listKind = `${kind}List` } = spec.names
  const node = version.name === stored.version ? stored.node : once(() => nodeOf(definition, version))
  const rules = once((): Kind => customResourceKind(definition, version) as unknown as Kind)
  const columns = once(() => customColumns(version))
  const scale = version.subresources?.scale
  const convert = customConversion(definition, { version: version.name, node }, stored, convertByWebhook)
  return {
    group: spec.group,
    version: version.name,
    plural,
    kind: kind as KubernetesObject['kind'],
    namespaced: spec.scope === 'Namespaced',
    singular,
    verbs: new Set(customVerbs),
    subresources: subresourcesOf(definition, version, node),
    get node() {
      return node()
    },
    get columns() {
      return columns()
    },
    get rules() {
      return rules()
    },
    storage: { prefix: storagePrefix(spec.group, plural), convert },
    custom: {
      definition,
      listKind,
      deprecation: deprecationOf(definition, version),
      isTerminating: metadata.deletionTimestamp !== undefined,
      scale: scale && scalePathsOf(scale),
    },
  }
}

const partVerbs = ['get', 'patch', 'update']

function subresourcesOf(
  { spec }: CustomResourceDefinition,
  { name: version, subresources = {} }: CustomResourceDefinitionVersion,
  node: () => ObjectNode,
): ReadonlyMap<string, Subresource> {
  const { group, names } = spec
  const row = (name: string, kind: string, more: object): ResourceRow => ({
    groupVersion: `${group}/${version}`,
    name: `${names.plural}/${name}`,
    singularName: '',
    namespaced: spec.scope === 'Namespaced',
    ...more,
    kind,
    verbs: partVerbs,
  })
  const found = new Map<string, Subresource>()
  const verbs = new Set(partVerbs)
  if (subresources.status !== undefined) {
    const own = { group, version, kind: names.kind }
    found.set('status', {
      name: 'status',
      verbs,
      ...own,
      get node() {
        return node()
      },
      row: row('status', names.kind, {}),
    })
  }
  if (subresources.scale !== undefined) {
    const own = { group: 'autoscaling', version: 'v1', kind: 'Scale' }
    found.set('scale', {
      name: 'scale',
      verbs,
      ...own,
      get node() {
        return kindNode('autoscaling', 'v1', 'Scale')
      },
      row: row('scale', 'Scale', { group: 'autoscaling', version: 'v1' }),
    })
  }
  return found
}

/** The warning of a deprecated version: the author's own, or the newest served version that is better. */
function deprecationOf(
  { spec }: CustomResourceDefinition,
  { name, deprecated, deprecationWarning }: CustomResourceDefinitionVersion,
): string | undefined {
  if (deprecated !== true) return undefined
  if (deprecationWarning !== undefined) return deprecationWarning
  const { group, names } = spec
  const better = spec.versions
    .filter((version) => version.served && version.deprecated !== true && compareVersions(version.name, name) < 0)
    .map((version) => version.name)
    .sort(compareVersions)[0]
  const instead = better === undefined ? '' : `; use ${group}/${better} ${names.kind}`
  return `${group}/${name} ${names.kind} is deprecated${instead}`
}
