import type { KindRegistry } from '#api/kind-registry.ts'
import type { ResourceRow } from '#api/schema/shapes.ts'
import type { Catalog, ServedResource as CatalogResource } from '#api/schema/catalog.ts'
import { storagePrefix, type ServedResource } from './served-resource.ts'
import { conversionOf } from './version-conversions.ts'

/** One version of a group that another server answers for. */
export interface RemoteGroupVersion {
  readonly group: string
  readonly version: string
  readonly rows: readonly ResourceRow[]
  /** Of its OpenAPI 3 document; empty: it has none. */
  readonly openApiHash: string
  /** Its server is away; the rows are what it said last. */
  readonly isStale: boolean
  readonly groupPriorityMinimum: number
  readonly versionPriority: number
}

/** The resources that a server serves, found by where they stand in a path. */
export class ResourceTable {
  readonly #byPath = new Map<string, ServedResource>()
  readonly #byPlural = new Map<string, readonly ServedResource[]>()
  readonly #versions = new Set<string>()
  readonly #groups = new Set<string>()
  readonly #custom = new Set<ServedResource>()
  #remote: () => readonly RemoteGroupVersion[] = () => []
  readonly #builtInGroups: ReadonlySet<string>

  /** What the server itself serves, whatever definitions and other servers add. */
  readonly catalog: Catalog

  constructor(catalog: Catalog, kinds: KindRegistry) {
    this.catalog = catalog
    for (const resource of catalog.resources) this.add(builtIn(resource, kinds))
    this.#builtInGroups = new Set(this.#groups)
  }

  add(resource: ServedResource): void {
    const { group, version, plural } = resource
    this.#byPath.set(pathKey(group, version, plural), resource)
    this.#byPlural.set(plural, [...this.#othersOf(resource), resource])
    this.#versions.add(`${resource.group}/${resource.version}`)
    this.#groups.add(resource.group)
    if (resource.custom !== undefined) this.#custom.add(resource)
  }

  remove(resource: ServedResource): void {
    const { group, version, plural } = resource
    this.#custom.delete(resource)
    this.#byPath.delete(pathKey(group, version, plural))
    this.#byPlural.set(plural, this.#othersOf(resource))
    const left = [...this.#byPath.values()].filter((each) => each.group === group)
    if (left.length === 0) this.#groups.delete(group)
    if (!left.some((each) => each.version === version)) this.#versions.delete(`${group}/${version}`)
  }

  #othersOf({ group, version, plural }: ServedResource): readonly ServedResource[] {
    const owners = this.#byPlural.get(plural) ?? []
    return owners.filter((each) => each.group !== group || each.version !== version)
  }

  find(group: string, version: string, plural: string): ServedResource | undefined {
    // Asked many times for each request: a plural has few owners, and joining the three words costs more.
    return this.#byPlural.get(plural)?.find((each) => each.group === group && each.version === version)
  }

  /** The other versions, and names in other groups, under which the same objects are served. */
  sameStorage(resource: ServedResource): readonly ServedResource[] {
    return [...this.#byPath.values()].filter(
      (other) => other.storage.prefix === resource.storage.prefix && other !== resource,
    )
  }

  hasGroup(group: string): boolean {
    return this.#groups.has(group)
  }

  /** Whether the group is one of Kubernetes' own: paths below it are routed even where they lead nowhere. */
  hasBuiltInGroup(group: string): boolean {
    return this.#builtInGroups.has(group)
  }

  hasVersion(group: string, version: string): boolean {
    return this.#versions.has(`${group}/${version}`)
  }

  /** The resources that definitions declare, in no order. */
  custom(): Iterable<ServedResource> {
    return this.#custom
  }

  /** Tells of what other servers answer for: discovery shows it too. */
  setRemote(versions: () => readonly RemoteGroupVersion[]): void {
    this.#remote = versions
  }

  remote(): readonly RemoteGroupVersion[] {
    return this.#remote()
  }

  all(): Iterable<ServedResource> {
    return this.#byPath.values()
  }
}

function pathKey(group: string, version: string, plural: string): string {
  return `${group}/${version}/${plural}`
}

/** Node, columns and rules are looked up on first use: a start touches few kinds. */
function builtIn(resource: CatalogResource, kinds: KindRegistry): ServedResource {
  const { group, version, plural, kind, namespaced, singular, verbs, subresources, storage } = resource
  const convert = conversionOf(resource)
  return {
    group,
    version,
    plural,
    kind,
    namespaced,
    singular,
    verbs,
    subresources,
    get node() {
      return resource.node
    },
    get columns() {
      return resource.columns
    },
    get rules() {
      return kinds.find(group, version, kind)
    },
    storage: { prefix: storagePrefix(storage.group, plural), ...(convert && { convert }) },
  }
}
