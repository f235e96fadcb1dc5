import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { Catalog } from '#api/schema/catalog.ts'
import type { CustomResourceDefinition } from '#api/types/apiextensions.v1.ts'
import { customResourceDefinitions } from '#api/types/resources.ts'
import type { Informers } from '#client/informer.ts'
import { watchOf, type Watch } from '#reconcile/controller.ts'

/** All built-in resources whose objects can be listed, watched and deleted, each once however many versions serve it. */
function builtInCollections(catalog: Catalog): readonly Resource[] {
  return catalog.resources.filter(({ verbs, group, version, storage }) => {
    const isStoredAsItself = storage.group === group && storage.version === version
    return isStoredAsItself && verbs.has('list') && verbs.has('watch') && verbs.has('delete')
  })
}

/** The resource that a CRD defines, in the version it is stored in if that is served; undefined until it is accepted. */
export function customResource(definition: CustomResourceDefinition): Resource | undefined {
  const { spec, status, metadata } = definition
  const isEstablished = status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True')
  const served = spec.versions.filter((version) => version.served)
  const version = served.find((version) => version.storage) ?? served[0]
  if (!isEstablished || version === undefined || metadata.deletionTimestamp !== undefined) return undefined
  const { plural, kind } = spec.names
  const namespaced = spec.scope === 'Namespaced'
  return { group: spec.group, version: version.name, plural, kind: kind as KubernetesObject['kind'], namespaced }
}

/**
 * Calls `follow` with every collection that there is and that comes: the built-in ones, and those of CRDs as they are
 * accepted, again when another version of theirs has to be read. Informers of what is no longer served rest.
 */
export function followCollections(
  catalog: Catalog,
  informers: Informers,
  watch: (watch: Watch) => void,
  follow: (resource: Resource) => void,
): void {
  for (const resource of builtInCollections(catalog)) follow(resource)
  const followed = new Map<string, Resource>()
  const definitions = informers.of(customResourceDefinitions)
  watch(
    watchOf(customResourceDefinitions, (definition) => {
      const { name } = definition.metadata
      const resource = customResource(definition)
      const before = followed.get(name)
      const isGone = definitions.get(name) === undefined
      if (before !== undefined && (isGone || (resource !== undefined && resource.version !== before.version))) {
        informers.release(before)
        followed.delete(name)
      }
      if (resource !== undefined && !isGone && !followed.has(name)) {
        followed.set(name, resource)
        informers.of(resource)
        follow(resource)
      }
      return []
    }),
  )
}

/** All resources that exist now: the built-in ones and those of the CRDs the informer shows. */
export function allCollections(catalog: Catalog, informers: Informers): readonly Resource[] {
  const custom = informers
    .of(customResourceDefinitions)
    .list()
    .flatMap((definition) => customResource(definition) ?? [])
  return [...builtInCollections(catalog), ...custom]
}
