import { apiVersionOf, type KubernetesObject } from '#api/meta/resource.ts'
import type { ObjectReader } from './object-reader.ts'

/** What a test says of an object: metadata may be partial. */
export interface TestObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown }
  readonly [key: string]: unknown
}

/** An `ObjectReader` over a list of objects that a test changes by `put` and `remove`. */
export interface TestReader extends ObjectReader {
  put(...objects: readonly TestObject[]): void
  remove(object: TestObject): void
}

export function readerOf(...initial: readonly TestObject[]): TestReader {
  const objects = new Map<string, KubernetesObject>()
  const lists = new Map<string, readonly KubernetesObject[]>()
  const keyFor = (object: TestObject): string =>
    [object.apiVersion, object.kind, object.metadata.namespace ?? '', object.metadata.name].join('|')
  const reader: TestReader = {
    get: (resource, name, namespace = '') =>
      objects.get([apiVersionOf(resource), resource.kind, namespace, name].join('|')) as never,
    list(resource, namespace) {
      const scope = [apiVersionOf(resource), resource.kind, namespace ?? '*'].join('|')
      const kept = lists.get(scope)
      if (kept !== undefined) return kept as never
      const found = [...objects.values()].filter(
        (object) =>
          object.apiVersion === apiVersionOf(resource) &&
          object.kind === resource.kind &&
          (namespace === undefined || object.metadata.namespace === namespace),
      )
      lists.set(scope, found)
      return found as never
    },
    having: (resource, field, value) => reader.list(resource).filter((object) => field.valueOf(object) === value),
    put(...added) {
      for (const object of added) objects.set(keyFor(object), withUid(object) as unknown as KubernetesObject)
      lists.clear()
    },
    remove(object) {
      objects.delete(keyFor(object))
      lists.clear()
    },
  }
  reader.put(...initial)
  return reader
}

function withUid(object: TestObject): TestObject {
  return { ...object, metadata: { uid: `uid-of-${object.metadata.name}`, ...object.metadata } }
}
