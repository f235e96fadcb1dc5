import type { KubernetesObject, Resource } from '../meta/resource.ts'
import { once, schemaColumns, schemaGroups, schemaResources, type GroupRow } from './load.ts'
import { kindNode, type ObjectNode } from './node.ts'
import type { ColumnRow, ResourceRow } from './shapes.ts'

/** One served resource with all that the facts say about it. */
export interface ServedResource<T extends KubernetesObject = KubernetesObject> extends Resource<T> {
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly verbs: ReadonlySet<string>
  readonly subresources: ReadonlyMap<string, Subresource>
  /** The type of its objects. */
  readonly node: ObjectNode
  /** Columns of `kubectl get`; empty where the facts name none (reviews, bindings). */
  readonly columns: readonly ColumnRow[]
  /** Where objects are kept: another version or group for the ones that share their storage. */
  readonly storage: StorageVersion
  /** The row that discovery shows. */
  readonly row: ResourceRow
}

export interface StorageVersion {
  readonly group: string
  readonly version: string
}

export interface Subresource {
  readonly name: string
  readonly verbs: ReadonlySet<string>
  /** What its bodies are: the resource's own kind, `Scale`, `Eviction`, `TokenRequest`… */
  readonly group: string
  readonly version: string
  readonly kind: string
  /** Undefined for the options of connections (`PodExecOptions`): those are no bodies. */
  readonly node: ObjectNode | undefined
  readonly row: ResourceRow
}

/** All built-in resources. Lookups by unknown names answer undefined. */
export interface Catalog {
  /** Every resource, in discovery order. */
  readonly resources: readonly ServedResource[]
  /** Named groups in discovery order, each with its versions, preferred first. The core group is not among them. */
  readonly groups: readonly GroupRow[]
  find(group: string, version: string, plural: string): ServedResource | undefined
  findKind(group: string, version: string, kind: string): ServedResource | undefined
  /** The resources of one group and version, in discovery order; empty for an unknown one. */
  inVersion(group: string, version: string): readonly ServedResource[]
  /** Discovery's rows of one group and version: resources and subresources, as they stand in its list. */
  rows(group: string, version: string): readonly ResourceRow[]
  hasVersion(group: string, version: string): boolean
}

/** Resources that are kept in another group's or version's form. */
const storedElsewhere: Readonly<Record<string, StorageVersion>> = {
  'autoscaling/v1/horizontalpodautoscalers': { group: 'autoscaling', version: 'v2' },
  'events.k8s.io/v1/events': { group: '', version: 'v1' },
}

/** `apps/v1` into its parts; the core group is the empty string. */
export function splitGroupVersion(groupVersion: string): { group: string; version: string } {
  const cut = groupVersion.indexOf('/')
  return cut < 0
    ? { group: '', version: groupVersion }
    : { group: groupVersion.slice(0, cut), version: groupVersion.slice(cut + 1) }
}

function joinGroupVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`
}

/** The catalog of a server of Kubernetes v1.36 that nobody asked for more or less, made on first use. */
export const builtInCatalog: () => Catalog = once(() => catalogOf(schemaGroups(), schemaResources()))

/** The catalog of these resources and no others. */
export function catalogOf(groups: readonly GroupRow[], rows: readonly ResourceRow[]): Catalog {
  const rowsByVersion = Map.groupBy(rows, (row) => row.groupVersion)
  const resources = rows.filter((row) => !row.name.includes('/')).map((row) => servedResource(row, rowsByVersion))
  const byPlural = new Map(resources.map((each) => [`${each.row.groupVersion}/${each.plural}`, each]))
  const byKind = new Map(resources.map((each) => [`${each.row.groupVersion}/${each.kind}`, each]))
  const byVersion = Map.groupBy(resources, (each) => each.row.groupVersion)
  return {
    resources,
    groups,
    find: (group, version, plural) => byPlural.get(`${joinGroupVersion(group, version)}/${plural}`),
    findKind: (group, version, kind) => byKind.get(`${joinGroupVersion(group, version)}/${kind}`),
    inVersion: (group, version) => byVersion.get(joinGroupVersion(group, version)) ?? [],
    rows: (group, version) => rowsByVersion.get(joinGroupVersion(group, version)) ?? [],
    hasVersion: (group, version) => rowsByVersion.has(joinGroupVersion(group, version)),
  }
}

function servedResource(row: ResourceRow, rowsByVersion: ReadonlyMap<string, readonly ResourceRow[]>): ServedResource {
  const { group, version } = splitGroupVersion(row.groupVersion)
  const key = `${row.groupVersion}/${row.name}`
  const siblings = rowsByVersion.get(row.groupVersion) ?? []
  const subresources = siblings.filter((each) => each.name.startsWith(`${row.name}/`)).map(subresourceOf)
  const node = once(() => requireNode(group, version, row.kind))
  return {
    group,
    version,
    plural: row.name,
    kind: row.kind,
    namespaced: row.namespaced,
    singular: row.singularName,
    shortNames: row.shortNames ?? [],
    categories: row.categories ?? [],
    verbs: new Set(row.verbs),
    subresources: new Map(subresources.map((each) => [each.name, each])),
    get node() {
      return node()
    },
    get columns() {
      return schemaColumns()[key] ?? []
    },
    storage: storedElsewhere[key] ?? { group, version },
    row,
  }
}

function requireNode(group: string, version: string, kind: string): ObjectNode {
  const node = kindNode(group, version, kind)
  if (!node) throw new RangeError(`No schema type stands for ${joinGroupVersion(group, version)}, Kind=${kind}`)
  return node
}

function subresourceOf(row: ResourceRow): Subresource {
  const own = splitGroupVersion(row.groupVersion)
  const group = row.version === undefined ? own.group : (row.group ?? '')
  const version = row.version ?? own.version
  const node = once(() => kindNode(group, version, row.kind))
  return {
    name: row.name.slice(row.name.indexOf('/') + 1),
    verbs: new Set(row.verbs),
    group,
    version,
    kind: row.kind,
    get node() {
      return node()
    },
    row,
  }
}
