import type { KindRegistry } from '#api/kind-registry.ts'
import type { Catalog, ServedResource as CatalogResource } from '#api/schema/catalog.ts'
import { storagePrefix, type ServedResource } from './served-resource.ts'
import { conversionOf } from './version-conversions.ts'

/** The resources that a server serves, found by where they stand in a path. */
export class ResourceTable {
  readonly #byPath = new Map<string, ServedResource>()
  readonly #versions = new Set<string>()
  readonly #groups = new Set<string>()

  constructor(catalog: Catalog, kinds: KindRegistry) {
    for (const resource of catalog.resources) this.add(builtIn(resource, kinds))
  }

  add(resource: ServedResource): void {
    this.#byPath.set(pathKey(resource.group, resource.version, resource.plural), resource)
    this.#versions.add(`${resource.group}/${resource.version}`)
    this.#groups.add(resource.group)
  }

  find(group: string, version: string, plural: string): ServedResource | undefined {
    return this.#byPath.get(pathKey(group, version, plural))
  }

  hasGroup(group: string): boolean {
    return this.#groups.has(group)
  }

  hasVersion(group: string, version: string): boolean {
    return this.#versions.has(`${group}/${version}`)
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
