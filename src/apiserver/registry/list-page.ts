import type { KubernetesObject } from '#api/meta/resource.ts'
import { StatusError, badRequest } from '#api/meta/status.ts'
import { CompactedError, FutureRevisionError } from '#storage/store.ts'
import { StoredObject } from '../cache/stored-object.ts'
import type { ServerParts } from '../server-parts.ts'
import type { CollectionOptions } from '../verbs/list-options.ts'
import { readContinueToken, writeContinueToken } from './continue-token.ts'
import type { Selection } from './selection.ts'

/** One page of a collection, read at one revision. */
export interface Page {
  /** In their stored version. */
  readonly objects: readonly KubernetesObject[]
  readonly revision: number
  /** Empty on the last page. */
  readonly continue: string
  /** How many follow, where it is known. */
  readonly remaining: number | undefined
}

export interface PageRequest {
  readonly server: ServerParts
  /** Of the whole resource. */
  readonly resourcePrefix: string
  /** Of the collection: the resource's, with the namespace if there is one. */
  readonly prefix: string
  readonly selection: Selection
  readonly options: CollectionOptions
  readonly signal: AbortSignal
}

/**
 * Reads a page with the semantics of `resourceVersion` and `continue` (API concepts, "Resource versions"): absent
 * means the newest, `0` whatever is at hand, a number at least or exactly that revision; pages of one list all show
 * the state of its first page.
 */
export async function readPage(request: PageRequest): Promise<Page> {
  const { options, server } = request
  const { feed } = server
  if (options.continue !== '') {
    const token = readContinueToken(options.continue)
    if (options.resourceVersion !== '' && options.resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue')
    }
    await feed.current(request.signal)
    const after = request.prefix + token.after
    return pageAt(request, token.revision === 0 ? feed.revision : token.revision, after, options.limit)
  }
  const wanted = parseResourceVersion(options.resourceVersion)
  if (wanted === 0 && options.resourceVersion !== '') return pageAt(request, feed.revision, '', 0)
  if (wanted > 0) await waitForRevision(server, wanted, request.signal)
  else if (!feed.isCurrent) await feed.current(request.signal)
  const isExact =
    options.resourceVersionMatch === 'Exact' || (options.resourceVersionMatch === '' && options.limit > 0 && wanted > 0)
  return pageAt(request, isExact ? wanted : feed.revision, '', options.limit)
}

/** A revision as clients send it, 0 when absent. Throws `BadRequest`. */
export function parseResourceVersion(text: string): number {
  if (text === '') return 0
  if (/^\d{1,16}$/.test(text)) return Number(text)
  throw badRequest(
    `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  )
}

const freshnessTimeoutMs = 3_000

/** Waits until the caches have seen a revision; 504 if it does not come. */
export async function waitForRevision(server: ServerParts, revision: number, signal: AbortSignal): Promise<void> {
  const { feed, clock } = server
  if (feed.revision >= revision) return
  const giveUp = new AbortController()
  const timer = clock.schedule(freshnessTimeoutMs, () => giveUp.abort(tooLarge(revision, feed.revision)))
  try {
    await feed.reached(revision, AbortSignal.any([signal, giveUp.signal]))
  } finally {
    timer.cancel()
  }
}

function tooLarge(wanted: number, current: number): StatusError {
  const message = `Too large resource version: ${wanted}, current: ${current}`
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }]
  return new StatusError('Timeout', `Timeout: ${message}`, { details: { causes, retryAfterSeconds: 1 } })
}

async function pageAt(request: PageRequest, revision: number, after: string, limit: number): Promise<Page> {
  const { server, resourcePrefix, prefix } = request
  const cache = server.caches.of(resourcePrefix)
  if (revision <= server.feed.revision && cache.revision <= revision) {
    const isWhole = request.selection.isEverything && after === '' && limit === 0
    if (isWhole) return { objects: cache.objects(prefix), revision, continue: '', remaining: undefined }
    return cut(request, cache.candidates(prefix, request.selection.pin), revision, after, limit)
  }
  return cut(request, await storedAt(request, revision), revision, after, limit)
}

/** The collection as it was: read from the store, since the cache has moved on. */
async function storedAt(request: PageRequest, revision: number): Promise<readonly StoredObject[]> {
  const { server, prefix, options } = request
  try {
    const { entries } = await server.store.list(prefix, { revision })
    return entries.map((entry) => new StoredObject(entry.key, entry.modRevision, entry.value, server.codec))
  } catch (error) {
    if (error instanceof CompactedError) throw options.continue === '' ? expired() : expiredContinue(options.continue)
    if (error instanceof FutureRevisionError) throw tooLarge(revision, error.currentRevision)
    throw error
  }
}

function cut(
  { prefix, selection }: PageRequest,
  all: readonly StoredObject[],
  revision: number,
  after: string,
  limit: number,
): Page {
  const objects: KubernetesObject[] = []
  const { matches } = selection
  let index = after === '' ? 0 : firstAbove(all, after)
  let lastKey = ''
  for (; index < all.length && (limit === 0 || objects.length < limit); index++) {
    const stored = all[index]
    if (stored === undefined) continue
    const { object } = stored
    if (!matches(object)) continue
    objects.push(object)
    lastKey = stored.key
  }
  const hasMore = limit > 0 && all.slice(index).some((stored) => selection.matches(stored.object))
  return {
    objects,
    revision,
    continue: hasMore ? writeContinueToken({ revision, after: lastKey.slice(prefix.length) }) : '',
    remaining: hasMore && selection.isEverything ? all.length - index : undefined,
  }
}

function firstAbove(all: readonly StoredObject[], key: string): number {
  const index = all.findIndex((stored) => stored.key > key)
  return index < 0 ? all.length : index
}

function expired(): StatusError {
  return new StatusError('Expired', 'The resourceVersion for the provided list is too old.')
}

/** With a token for the rest, read now: not consistent with the pages before, but complete. */
function expiredContinue(token: string): StatusError {
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
    'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
    'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
    'deleted between the time the first chunk was returned and now may show up in the list.'
  const { after } = readContinueToken(token)
  return new StatusError('Expired', message, { continue: writeContinueToken({ revision: 0, after }) })
}
