import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import { Backoff } from '#lib/backoff.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import type { Client, ListOptions, ObjectList, WatchEvent } from './client.ts'
import { ConnectionError } from './connection-error.ts'
import type { InformerOptions } from './informer.ts'

/** What informers need besides a resource; one value for all informers of a process. */
export interface ReflectorContext {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly signal: AbortSignal
  /** Objects a page, for servers across a network; absent: one list in one answer. */
  readonly pageSize?: number
  /** Shortest time after which the server ends a watch, so that a dead connection is noticed; absent: never. */
  readonly watchTimeoutSeconds?: number
}

/** Where a reflector tells what it sees. `replace` gets a whole list, `apply` one change after it, in order. */
export interface ReflectorSink<T extends KubernetesObject> {
  replace(list: ObjectList<T>): void
  apply(event: WatchEvent<T>): void
}

/**
 * Keeps a sink current until the context's signal aborts: lists, watches from there, resumes broken watches where they
 * broke, and lists again only when the server has forgotten that revision. Failures back off from 0.8 s to 30 s, as
 * upstream's do. Resolves when aborted; never rejects.
 */
export async function reflect<T extends KubernetesObject>(
  resource: Resource<T>,
  options: InformerOptions,
  sink: ReflectorSink<T>,
  context: ReflectorContext,
): Promise<void> {
  const backoff = new Backoff({ initialMs: 800, maxMs: 30_000, jitter: 1 }, context.random)
  const state: ReflectorState = { resourceVersion: undefined, listFrom: '0', listedAt: undefined }
  while (!context.signal.aborted) {
    const startedMs = context.clock.monotonic()
    try {
      if (state.resourceVersion === undefined) await listOnce(resource, options, sink, context, state)
      const seen = await watchOnce(resource, options, sink, context, state)
      // A server that ends watches at once must not be asked again and again without a pause.
      if (seen > 0 || context.clock.monotonic() - startedMs > 1_000) {
        backoff.reset()
        continue
      }
    } catch (error) {
      if (context.signal.aborted) return
      // What broke after a long time is no repeated failure.
      if (context.clock.monotonic() - startedMs > 60_000) backoff.reset()
      if (!isStatusError(error, 'Expired', 'Gone')) report(resource, error, context)
      else if (forget(state)) continue
    }
    await context.clock.sleep(backoff.nextMs(), context.signal).catch(() => undefined)
  }
}

interface ReflectorState {
  /** Where the next watch starts; undefined: list first. */
  resourceVersion: string | undefined
  /** `'0'` lets the server answer the first list from its cache; after 410 only the newest state will do. */
  listFrom: '0' | undefined
  /** What the last list was read at. */
  listedAt: string | undefined
}

/** The revision is gone: list the newest state next. Whether that is worth trying at once. */
function forget(state: ReflectorState): boolean {
  const movedOn = state.resourceVersion !== undefined && state.listedAt !== state.resourceVersion
  state.resourceVersion = undefined
  state.listFrom = undefined
  return movedOn
}

async function listOnce<T extends KubernetesObject>(
  resource: Resource<T>,
  options: InformerOptions,
  sink: ReflectorSink<T>,
  context: ReflectorContext,
  state: ReflectorState,
): Promise<void> {
  const { client, signal, pageSize } = context
  const collection = client.resource(resource, options.namespace)
  const first: ListOptions = {
    signal,
    ...selectors(options),
    ...(state.listFrom === undefined ? {} : { resourceVersion: state.listFrom }),
    ...(pageSize === undefined ? {} : { limit: pageSize }),
  }
  let page = await collection.list(first)
  const items = [page.items]
  while (page.continue !== undefined) {
    page = await collection.list({ signal, ...selectors(options), limit: pageSize ?? 0, continue: page.continue })
    items.push(page.items)
  }
  sink.replace({ items: items.length === 1 ? page.items : items.flat(), resourceVersion: page.resourceVersion })
  state.resourceVersion = state.listedAt = page.resourceVersion
}

/** Watches until the server ends the watch; the number of events seen. */
async function watchOnce<T extends KubernetesObject>(
  resource: Resource<T>,
  options: InformerOptions,
  sink: ReflectorSink<T>,
  context: ReflectorContext,
  state: ReflectorState,
): Promise<number> {
  const { client, signal, random, watchTimeoutSeconds } = context
  const events = client.resource(resource, options.namespace).watch({
    signal,
    ...selectors(options),
    resourceVersion: state.resourceVersion ?? '',
    allowWatchBookmarks: true,
    ...(watchTimeoutSeconds && { timeoutSeconds: Math.ceil(watchTimeoutSeconds * (1 + random.next())) }),
  })
  let seen = 0
  for await (const event of events) {
    if (signal.aborted) break
    seen++
    sink.apply(event)
    state.resourceVersion = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion
  }
  return seen
}

function selectors(options: InformerOptions): Pick<InformerOptions, 'labelSelector' | 'fieldSelector'> {
  return {
    ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  }
}

function report(resource: Resource, error: unknown, context: ReflectorContext): void {
  const fields = { resource: resource.plural, group: resource.group, error: String(error) }
  if (error instanceof ConnectionError) context.log.info('Watching was interrupted, will try again', fields)
  else context.log.warn('Listing or watching failed, will try again', fields)
}
