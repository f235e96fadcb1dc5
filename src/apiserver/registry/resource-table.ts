import type { Kind } from '#api/kind.ts'
import type { ResourceRow } from '#api/schema/shapes.ts'
import { conversions } from './version-conversions.ts'
import { storagePrefix, type ServedResource, type StorageForm } from './served-resource.ts'

/** The resources that a server serves, found by where they stand in a path. */
export class ResourceTable {
  readonly #byPath = new Map<string, ServedResource>()
  readonly #groupVersions = new Set<string>()
  readonly #groups = new Set<string>()

  /** `rulesOf` answers for every kind, also for one that has no rules of its own. */
  constructor(rows: readonly ResourceRow[], rulesOf: (group: string, version: string, kind: string) => Kind) {
    const mainRows = rows.filter((row) => !row.name.includes('/'))
    for (const row of mainRows) {
      const [group, version] = splitGroupVersion(row.groupVersion)
      const below = rows.filter(
        (other) => other.groupVersion === row.groupVersion && other.name.startsWith(`${row.name}/`),
      )
      this.add({
        group,
        version,
        plural: row.name,
        kind: row.kind,
        namespaced: row.namespaced,
        singular: row.singularName,
        verbs: new Set(row.verbs),
        subresources: new Map(below.map((other) => [other.name.slice(row.name.length + 1), other])),
        rules: rulesOf(group, version, row.kind),
        storage: storageOf(group, version, row.name),
      })
    }
  }

  add(resource: ServedResource): void {
    this.#byPath.set(pathKey(resource.group, resource.version, resource.plural), resource)
    this.#groupVersions.add(`${resource.group}/${resource.version}`)
    this.#groups.add(resource.group)
  }

  find(group: string, version: string, plural: string): ServedResource | undefined {
    return this.#byPath.get(pathKey(group, version, plural))
  }

  hasGroup(group: string): boolean {
    return this.#groups.has(group)
  }

  hasVersion(group: string, version: string): boolean {
    return this.#groupVersions.has(`${group}/${version}`)
  }

  all(): Iterable<ServedResource> {
    return this.#byPath.values()
  }
}

function pathKey(group: string, version: string, plural: string): string {
  return `${group}/${version}/${plural}`
}

function splitGroupVersion(groupVersion: string): [group: string, version: string] {
  const cut = groupVersion.indexOf('/')
  return cut < 0 ? ['', groupVersion] : [groupVersion.slice(0, cut), groupVersion.slice(cut + 1)]
}

function storageOf(group: string, version: string, plural: string): StorageForm {
  const conversion = conversions.find((row) => row.served === `${pathKey(group, version, plural)}`)
  if (conversion === undefined) return { prefix: storagePrefix(group, plural) }
  return { prefix: storagePrefix(conversion.storedGroup, plural), convert: conversion }
}
