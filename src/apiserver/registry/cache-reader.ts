import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { CacheSet } from '../cache/cache-set.ts'
import type { IndexedField } from '../cache/field-index.ts'
import type { ObjectReader } from './object-reader.ts'
import type { ResourceTable } from './resource-table.ts'
import { storageKey, type ServedResource } from './served-resource.ts'

/** An `ObjectReader` over the watch caches. It reads stored versions: ask for the version that is stored. */
export function cacheReader(caches: CacheSet, resources: ResourceTable): ObjectReader {
  const find = ({ group, version, plural }: Resource): ServedResource => {
    const resource = resources.find(group, version, plural)
    if (resource === undefined) throw new TypeError(`The resource ${plural} of ${group}/${version} is not served`)
    return resource
  }
  return {
    get<T extends KubernetesObject>(wanted: Resource<T>, name: string, namespace = ''): T | undefined {
      const resource = find(wanted)
      const stored = caches.of(resource.storage.prefix).get(storageKey(resource, namespace, name))
      return stored?.object as T | undefined
    },
    list<T extends KubernetesObject>(wanted: Resource<T>, namespace?: string): readonly T[] {
      const resource = find(wanted)
      const scope = namespace === undefined || !resource.namespaced ? '' : `${namespace}/`
      return caches.of(resource.storage.prefix).objects(resource.storage.prefix + scope) as readonly T[]
    },
    having<T extends KubernetesObject>(wanted: Resource<T>, field: IndexedField, value: string): readonly T[] {
      const found = caches.of(find(wanted).storage.prefix).having(field, value)
      return Array.from(found, (stored) => stored.object as T)
    },
  }
}
