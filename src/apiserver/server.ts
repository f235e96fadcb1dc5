import type { ApiHandler } from '#api/meta/exchange.ts'
import { schemaResources } from '#api/schema/load.ts'
import { builtInRules } from './registry/built-in-resources.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import type { Store } from '#storage/store.ts'
import type { AdmissionPlugin } from './admission/admission.ts'
import type { Authenticator } from './authn/authenticator.ts'
import type { Authorizer } from './authz/authorizer.ts'
import { CacheSet } from './cache/cache-set.ts'
import { ObjectCodec } from './cache/object-codec.ts'
import { StoreFeed } from './cache/store-feed.ts'
import { admit, answer } from './pipeline.ts'
import { cacheReader } from './registry/cache-reader.ts'
import type { ObjectReader } from './registry/object-reader.ts'
import { ResourceTable } from './registry/resource-table.ts'
import type { ServerParts } from './server-parts.ts'
import type { AdmitUpgrade } from './upgrade.ts'

export interface ApiServerOptions {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Asked in order; none: the transport's word is trusted, everybody else is anonymous. */
  readonly authenticators?: (reader: ObjectReader) => readonly Authenticator[]
  /** Asked in order; none: everything is allowed. */
  readonly authorizers?: (reader: ObjectReader) => readonly Authorizer[]
  readonly admission?: readonly AdmissionPlugin[]
}

/** One API server over one store. It owns no socket: `listen` in `listener.ts` puts it on one. */
export interface ApiServer {
  /** Answers requests of this process by reference. Never rejects. */
  readonly handle: ApiHandler
  /** Takes an upgrade request through authentication and authorization; rejects with the `StatusError` of a refusal. */
  readonly admitUpgrade: AdmitUpgrade
  /** How stored objects become bytes: for the listener. */
  readonly codec: ObjectCodec
  /** Reads of the current state, for parts composed around the server. Usable after `start`. */
  readonly reader: ObjectReader
  /** Reads the store; requests are answered from then on. */
  start(): Promise<void>
  /** Ends all watches and stops following the store, which stays open. */
  close(): Promise<void>
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { store, clock, log } = options
  const closing = new AbortController()
  const codec = new ObjectCodec()
  const caches = new CacheSet(codec)
  const feed = new StoreFeed({ store, prefix: '/registry/', consumer: caches, clock, log })
  const resources = new ResourceTable(schemaResources(), builtInRules)
  const reader = cacheReader(caches, resources)
  const parts: ServerParts = {
    store,
    clock,
    random: options.random,
    log,
    codec,
    caches,
    feed,
    resources,
    reader,
    authenticators: options.authenticators?.(reader) ?? [],
    authorizers: options.authorizers?.(reader) ?? [],
    admission: options.admission ?? [],
    closing: closing.signal,
  }
  return {
    handle: (request) => answer(request, parts),
    admitUpgrade: (request) => admit(request, parts),
    codec,
    reader,
    start: () => feed.start(),
    async close() {
      closing.abort()
      caches.closeWatchers()
      await feed.close()
    },
  }
}
