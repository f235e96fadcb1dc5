import type { ApiResponse, WireWatchEvent } from '#api/meta/exchange.ts'
import { apiVersionOf, keyOf, type KubernetesObject } from '#api/meta/resource.ts'
import { StatusError } from '#api/meta/status.ts'
import type { CacheWatcher } from '../cache/cache-watcher.ts'
import { parseResourceVersion } from '../registry/list-page.ts'
import { served } from '../registry/read.ts'
import { prepareCollection, prepareServed } from '../registry/stored-version.ts'
import { compileSelection, type Selection } from '../registry/selection.ts'
import { collectionPrefix, type ServedResource } from '../registry/served-resource.ts'
import type { ResourceContext } from '../request-context.ts'
import { checkWatchOptions, readCollectionOptions, type CollectionOptions } from './list-options.ts'

/** A watch of a collection, from the state that `resourceVersion` names, until its time is over. */
export async function watch(context: ResourceContext): Promise<ApiResponse> {
  const { resource, info, request } = context
  const options = readCollectionOptions(request.query)
  checkWatchOptions(options)
  const selection = compileSelection(resource, { ...options, name: info.name })
  const { convert } = resource.storage
  if (convert?.prepareServed !== undefined && options.fieldSelector !== '') {
    // The fields that are selected by exist only once others have converted the object.
    const all = compileSelection(resource, { ...options, fieldSelector: '', name: info.name })
    const known = await selectedBefore(context, options, selection)
    const events = converted(await openWatch(context, options, all), resource)
    return { status: 200, headers: {}, body: { type: 'watch', events: selected(events, selection, known) } }
  }
  const events = await openWatch(context, options, selection)
  const shown = convert === undefined ? events : converted(events, resource)
  return { status: 200, headers: {}, body: { type: 'watch', events: shown } }
}

async function openWatch(
  context: ResourceContext,
  options: CollectionOptions,
  { matches, pin }: Selection,
): Promise<AsyncIterable<WireWatchEvent>> {
  const { resource, info, server, request } = context
  const cache = server.caches.of(resource.storage.prefix)
  const keyPrefix = collectionPrefix(resource, info.namespace)
  const wanted = parseWatchVersion(options.resourceVersion)
  const beginsWithState = options.sendInitialEvents ?? wanted === 0
  // Only a watch that asks for "whatever is at hand" may begin with an old state.
  if (beginsWithState && options.resourceVersion !== '0') await server.feed.current(request.signal)
  if (beginsWithState && wanted > 0) await server.feed.reached(wanted, request.signal)
  const from = beginsWithState ? undefined : wanted === 0 ? server.feed.revision : wanted
  let watcher: CacheWatcher
  try {
    watcher = cache.watch({ keyPrefix, matches, pin, ...(from !== undefined && { from }) })
  } catch (error) {
    if (error instanceof StatusError) return oneError(error)
    throw error
  }
  if (options.sendInitialEvents === true && options.allowWatchBookmarks) {
    watcher.prime([bookmark(resource, server.feed.revision, true)])
  }
  endWithRequest(context, watcher, options)
  return watcher
}

/** Closes the watcher at its timeout, when the client goes away, or when the server stops; sends bookmarks meanwhile. */
function endWithRequest(context: ResourceContext, watcher: CacheWatcher, options: CollectionOptions): void {
  const { server, request, resource } = context
  const { clock, random, feed } = server
  const timeoutMs = (options.timeoutSeconds || minimumWatchSeconds * (1 + random.next())) * 1_000
  const send = (): void => {
    watcher.push(bookmark(resource, feed.revision, false))
    timer = clock.schedule(bookmarkEveryMs, send)
  }
  let timer = options.allowWatchBookmarks ? clock.schedule(bookmarkEveryMs, send) : undefined
  const timeout = clock.schedule(timeoutMs, () => {
    if (options.allowWatchBookmarks) watcher.push(bookmark(resource, feed.revision, false))
    watcher.close()
  })
  const close = (): void => watcher.close()
  request.signal.addEventListener('abort', close, { once: true })
  server.closing.addEventListener('abort', close, { once: true })
  watcher.onClosed(() => {
    timer?.cancel()
    timeout.cancel()
    request.signal.removeEventListener('abort', close)
    server.closing.removeEventListener('abort', close)
  })
  if (request.signal.aborted || server.closing.aborted) close()
}

/** Upstream's `--min-request-timeout`: watches without a timeout last between one and two times this. */
const minimumWatchSeconds = 1_800
const bookmarkEveryMs = 60_000

/** A watch is opened even for a resourceVersion that cannot be read as a number only if it is empty. */
function parseWatchVersion(text: string): number {
  try {
    return parseResourceVersion(text)
  } catch (error) {
    // Upstream answers 500 here and 400 for the same text on a list.
    throw new StatusError('', (error as Error).message, { code: 500, cause: error })
  }
}

function bookmark(resource: ServedResource, revision: number, isEndOfInitialEvents: boolean): WireWatchEvent {
  const annotations = isEndOfInitialEvents ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
  const metadata = { resourceVersion: String(revision), ...annotations }
  return { type: 'BOOKMARK', object: { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata } }
}

async function* oneError(error: StatusError): AsyncIterable<WireWatchEvent> {
  yield { type: 'ERROR', object: error.toStatus() }
}

async function* converted(
  events: AsyncIterable<WireWatchEvent>,
  resource: ServedResource,
): AsyncIterable<WireWatchEvent> {
  for await (const event of events) {
    const isObject = event.type !== 'ERROR' && event.type !== 'BOOKMARK'
    if (isObject) await prepareServed(resource, [event.object as KubernetesObject])
    yield isObject ? { type: event.type, object: served(resource, event.object as KubernetesObject) } : event
  }
}

/** Which objects a selection took at the revision where a watch begins, of those that have not changed since. */
async function selectedBefore(
  context: ResourceContext,
  { resourceVersion, fieldSelector }: CollectionOptions,
  { matches }: Selection,
): Promise<Map<string, boolean>> {
  const { resource, info, server } = context
  await prepareCollection(context, fieldSelector)
  const from = parseWatchVersion(resourceVersion)
  const objects = server.caches.of(resource.storage.prefix).objects(collectionPrefix(resource, info.namespace))
  const unchanged = objects.filter(({ metadata }) => Number(metadata.resourceVersion) <= from)
  return new Map(unchanged.map((object) => [keyOf(object), matches(object)]))
}

/** The events of the objects that a selection takes: one that comes into it was added, one that leaves it deleted. */
async function* selected(
  events: AsyncIterable<WireWatchEvent>,
  { matches }: Selection,
  known: Map<string, boolean>,
): AsyncIterable<WireWatchEvent> {
  for await (const event of events) {
    if (event.type === 'ERROR' || event.type === 'BOOKMARK') {
      yield event
      continue
    }
    const object = event.object as KubernetesObject
    const key = keyOf(object)
    const fits = matches(object)
    // Of what changed before the watch caught up nothing is known: its end is told rather than missed.
    const before = known.get(key) ?? event.type !== 'ADDED'
    if (event.type === 'DELETED') known.delete(key)
    else known.set(key, fits)
    const type = event.type === 'DELETED' || !fits ? 'DELETED' : before ? 'MODIFIED' : 'ADDED'
    if (before || type !== 'DELETED') yield { type, object }
  }
}
