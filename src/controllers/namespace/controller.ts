import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Catalog } from '#api/schema/catalog.ts'
import type { Namespace } from '#api/types/core.v1.ts'
import { namespaces, pods } from '#api/types/resources.ts'
import {
  defineController,
  watchOf,
  type Controller,
  type ControllerContext,
  type Watch,
} from '#reconcile/controller.ts'
import { messageOf } from '../pod-from-template.ts'
import { allCollections, followCollections } from '../served-resources.ts'
import { deletionConditions, type DeletionProgress, type Remaining } from './decide.ts'

/** The finalizer that every namespace has in its spec until its contents are gone. */
const finalizer = 'kubernetes'

/**
 * Empties namespaces that are being deleted and then lets them go: pods first, so that what they use outlives them
 * (KEP-5080), then everything else. Each object that goes wakes it up again.
 */
export function namespaceController(catalog: Catalog): Controller {
  return defineController({
    name: 'namespace-controller',
    watches: [watchOf(namespaces)],
    watchMore: (context, watch) => watchContents(catalog, context, watch),
    writes: [
      { resource: { group: '*', plural: '*' }, verbs: ['get', 'delete', 'deletecollection'] },
      { resource: namespaces, verbs: ['delete'] },
      { resource: namespaces, subresource: 'status', verbs: ['update'] },
      { resource: namespaces, subresource: 'finalize', verbs: ['update'] },
    ],
    concurrency: 10,
    reconcile: (name, context) => reconcile(name, context, catalog),
  })
}

function watchContents(catalog: Catalog, context: ControllerContext, watch: (watch: Watch) => void): void {
  const watched = new Set<string>()
  const follow = (resource: Resource): void => {
    const id = `${resource.group}/${resource.version}/${resource.plural}`
    if (!resource.namespaced || watched.has(id)) return
    watched.add(id)
    watch(watchOf(resource, emptyingNamespace))
  }
  followCollections(catalog, context.informers, watch, follow)
}

function emptyingNamespace({ metadata }: KubernetesObject, { informers }: ControllerContext): readonly string[] {
  const name = metadata.namespace ?? ''
  return informers.of(namespaces).get(name)?.metadata.deletionTimestamp === undefined ? [] : [name]
}

async function reconcile(name: string, context: ControllerContext, catalog: Catalog): Promise<void> {
  const namespace = context.informers.of(namespaces).get(name)
  if (namespace?.metadata.deletionTimestamp === undefined) return
  if (!namespace.spec?.finalizers?.includes(finalizer)) return
  const progress = await empty(context, name, catalog)
  if (progress.remaining.length === 0 && progress.failures.length === 0) return finalize(context, namespace)
  await writeProgress(context, namespace, progress)
  if (progress.failures.length > 0) throw new Error(`Deleting the contents failed: ${progress.failures[0]}`)
}

async function empty(context: ControllerContext, namespace: string, catalog: Catalog): Promise<DeletionProgress> {
  const podsLeft = await emptyOf(context, pods, namespace)
  if (isLeft(podsLeft)) return progressOf([podsLeft])
  const others = allCollections(catalog, context.informers).filter(({ namespaced, plural, group }) => {
    return namespaced && !(plural === pods.plural && group === pods.group)
  })
  return progressOf(await Promise.all(others.map((resource) => emptyOf(context, resource, namespace))))
}

interface Emptied extends Remaining {
  readonly failure: string | undefined
}

function isLeft({ objects, failure }: Emptied): boolean {
  return objects.length > 0 || failure !== undefined
}

function progressOf(results: readonly Emptied[]): DeletionProgress {
  return {
    remaining: results.filter(({ objects }) => objects.length > 0),
    failures: results.flatMap(({ failure }) => failure ?? []),
  }
}

async function emptyOf({ client }: ControllerContext, resource: Resource, namespace: string): Promise<Emptied> {
  const collection = client.resource(resource, namespace)
  try {
    const { items } = await collection.list()
    if (items.every((object) => object.metadata.deletionTimestamp !== undefined)) {
      return { resource, objects: items, failure: undefined }
    }
    await collection.deleteCollection({ body: { propagationPolicy: 'Background' } })
    return { resource, objects: (await collection.list()).items, failure: undefined }
  } catch (error) {
    // A custom resource that is no longer served has nothing left to delete.
    if (isStatusError(error, 'NotFound')) return { resource, objects: [], failure: undefined }
    return { resource, objects: [], failure: messageOf(error) }
  }
}

async function writeProgress(
  { client, clock }: ControllerContext,
  namespace: Namespace,
  progress: DeletionProgress,
): Promise<void> {
  const old = namespace.status?.conditions
  const conditions = deletionConditions(old, progress, clock.now())
  if (conditions === old && namespace.status?.phase === 'Terminating') return
  const status = { ...namespace.status, phase: 'Terminating' as const, conditions }
  await client.resource(namespaces).updateStatus({ ...namespace, status })
}

async function finalize({ client }: ControllerContext, namespace: Namespace): Promise<void> {
  const finalizers = namespace.spec?.finalizers?.filter((name) => name !== finalizer) ?? []
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace.metadata.name)}/finalize`
  try {
    await client.raw({ method: 'PUT', path, body: { ...namespace, spec: { ...namespace.spec, finalizers } } })
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error
  }
}
