import { newestDefault } from '#api/meta/default-class.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { ObjectReader } from '../registry/object-reader.ts'

/** The class of that kind that objects get which name none. */
export function defaultClassOf<T extends KubernetesObject>(
  reader: ObjectReader,
  resource: Resource<T>,
  annotations: readonly string[],
): T | undefined {
  return newestDefault(reader.list(resource), annotations)
}
