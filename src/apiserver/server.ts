import type { ApiHandler } from '#api/meta/exchange.ts'
import type { Features } from '#api/features.ts'
import { builtInKinds } from '#api/kinds.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { badRequest } from '#api/meta/status.ts'
import { usualApis, type ServedApis } from '#api/schema/served-apis.ts'
import type { Clock } from '#lib/clock.ts'
import { KeyedTurns } from '#lib/keyed-turns.ts'
import type { Log } from '#lib/log.ts'
import type { MetricFamily } from '#lib/metrics/metric.ts'
import { LruMap } from '#lib/lru-map.ts'
import type { Random } from '#lib/random.ts'
import type { Store } from '#storage/store.ts'
import type { AdmissionPlugin } from './admission/admission.ts'
import { aggregationControllers } from './aggregation/aggregation-controllers.ts'
import { Aggregation } from './aggregation/aggregation.ts'
import type { ExtensionDialer } from './aggregation/extension-dialer.ts'
import type { LocalApi } from './aggregation/local-api.ts'
import { ObservedFeed } from './aggregation/observed-feed.ts'
import { RemoteServices } from './aggregation/remote-services.ts'
import type { WebhookCaller } from './webhooks/webhook-caller.ts'
import type { Authenticator } from './authn/authenticator.ts'
import type { Authorizer } from './authz/authorizer.ts'
import type { BootstrapStore } from './bootstrap/bootstrap-store.ts'
import { CacheSet } from './cache/cache-set.ts'
import { ObjectCodec } from './cache/object-codec.ts'
import { StoreFeed } from './cache/store-feed.ts'
import { CustomResources } from './crd/custom-resources.ts'
import { DefinitionController } from './crd/definition-controller.ts'
import { webhookConverter } from './crd/webhook-conversion.ts'
import { FlowControl, type FlowControlOptions } from './flowcontrol/flow-control.ts'
import { admit, answer } from './pipeline.ts'
import { cacheReader } from './registry/cache-reader.ts'
import { bootstrapStore } from './registry/ensure-objects.ts'
import type { ObjectReader } from './registry/object-reader.ts'
import { ResourceTable } from './registry/resource-table.ts'
import { HealthMetrics } from './metrics/health-metrics.ts'
import { RequestMetrics } from './metrics/request-metrics.ts'
import { statusWriter } from './registry/write-status.ts'
import { ServiceAllocator } from './registry/services/service-allocator.ts'
import type { NodeConnections } from './streaming/node-connections.ts'
import type { ReviewParts } from './reviews/review-handler.ts'
import type { TokenIssuer } from './tokens/token-issuer.ts'
import type { PathHandler, ServerParts } from './server-parts.ts'
import type { ComponentHealth } from './component-health.ts'
import type { AdmitUpgrade, UpgradeHandler } from './upgrade.ts'

export interface ApiServerOptions {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** What is served; default: what a server of Kubernetes v1.36 serves that nobody asks for more or less. */
  readonly apis?: ServedApis
  /** How objects are kept from being changed once they are shared; default: frozen all the way down. */
  readonly freeze?: (object: KubernetesObject) => KubernetesObject
  /** Asked in order; none: the transport's word is trusted, everybody else is anonymous. */
  readonly authenticators?: (reader: ObjectReader) => readonly Authenticator[]
  /** Asked in order; none: everything is allowed. */
  readonly authorizers?: (reader: ObjectReader) => readonly Authorizer[]
  readonly admission?: readonly AdmissionPlugin[]
  /** Reaches admission webhooks; none: those that must not fail refuse. */
  readonly callWebhook?: WebhookCaller
  /** Reaches extension API servers; none: what they answer for is not available. */
  readonly extensions?: ExtensionDialer
  /** What parts of this process answer for behind the server. */
  readonly localApis?: (reader: ObjectReader) => readonly LocalApi[]
  /** Addresses of services, primary family first; default 10.96.0.0/12. */
  readonly serviceCidrs?: readonly string[]
  /** Inclusive; default 30000-32767. */
  readonly nodePortRange?: { readonly from: number; readonly to: number }
  /** Signs service-account tokens. */
  readonly tokens?: (reader: ObjectReader) => TokenIssuer
  /** What access and token reviews are answered from. */
  readonly reviews?: (reader: ObjectReader, authorizers: readonly Authorizer[]) => ReviewParts
  /** How many requests are answered at a time, and how long others may wait. */
  readonly flowControl?: Pick<FlowControlOptions, 'seats' | 'waitMs'>
  /** How logs, exec and proxying reach kubelets. */
  readonly connections?: (reader: ObjectReader, authorizers: readonly Authorizer[]) => NodeConnections
  /** Answers more paths that name no resource, for those who may (`nonResourceURLs`). */
  readonly morePaths?: PathHandler
  /** What else `/metrics` tells: what other parts of this process count. */
  readonly moreMetrics?: () => readonly MetricFamily[]
  /** What the server was started with, for `/flagz`. */
  readonly flags?: Readonly<Record<string, string>>
  /** How the other parts of the control plane fare; default: there are none. */
  readonly components?: (reader: ObjectReader) => readonly ComponentHealth[]
}

/** Compiled expressions that are kept. */
const maxPrograms = 2_000

/** One API server over one store. It owns no socket: `listen` in `listener.ts` puts it on one. */
export interface ApiServer {
  /** Answers requests of this process by reference. Never rejects. */
  readonly handle: ApiHandler
  /** Takes an upgrade request through authentication and authorization; rejects with the `StatusError` of a refusal. */
  readonly admitUpgrade: AdmitUpgrade
  /** Takes over upgraded connections (exec, attach, port-forward): for the listener. */
  readonly upgrade: UpgradeHandler
  /** How stored objects become bytes: for the listener. */
  readonly codec: ObjectCodec
  /** Reads of the current state, for parts composed around the server. Usable after `start`. */
  readonly reader: ObjectReader
  /** Where the objects of a new cluster are put. Usable after `start`. */
  readonly bootstrap: BootstrapStore
  /** Reads the store; requests are answered from then on. */
  start(): Promise<void>
  /** Ends all watches and stops following the store, which stays open. */
  close(): Promise<void>
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { store, clock, log, random, callWebhook } = options
  const closing = new AbortController()
  const codec = new ObjectCodec(options.freeze)
  const caches = new CacheSet(codec)
  const { resources, features } = servedBy(options)
  const reader = cacheReader(caches, resources)
  const customResources = new CustomResources(caches, resources, webhookConverter({ reader, random, callWebhook }))
  const observed = new ObservedFeed(customResources)
  const feed = new StoreFeed({ store, prefix: '/registry/', consumer: observed, clock, log })
  const aggregation = new Aggregation(new RemoteServices(reader), options.extensions, options.localApis?.(reader))
  resources.setRemote(() => aggregation.versions())
  const authorizers = options.authorizers?.(reader) ?? []
  const parts: ServerParts = {
    store,
    clock,
    random,
    log,
    codec,
    caches,
    feed,
    resources,
    reader,
    authenticators: options.authenticators?.(reader) ?? [],
    authorizers,
    services: serviceAllocator(options, reader),
    tokens: options.tokens?.(reader),
    reviews: options.reviews?.(reader, authorizers),
    admission: options.admission ?? [],
    updateStatus: statusWriter({ store, codec, resources, feed, caches, clock }),
    turns: new KeyedTurns(),
    connections: options.connections?.(reader, authorizers),
    callWebhook,
    programs: new LruMap(maxPrograms),
    aggregation,
    ...metricsOf(options),
    morePaths: options.morePaths,
    components: () => options.components?.(reader) ?? [],
    about: { features, flags: options.flags ?? {}, startedMs: clock.now() },
    flowControl: new FlowControl({ reader, clock, ...options.flowControl }),
    closing: closing.signal,
  }
  const handle: ApiHandler = (request) => answer(request, parts)
  const definitions = new DefinitionController(parts, customResources, handle)
  const bootstrap = bootstrapStore(parts)
  const controllers = aggregationControllers(parts, bootstrap)
  observed.observe((event) => controllers.changed(event))
  return {
    handle,
    admitUpgrade: (request) => admit(request, parts),
    upgrade: upgradeHandler(aggregation, parts.connections),
    codec,
    reader,
    bootstrap,
    async start() {
      await feed.start()
      customResources.observe(definitions)
      controllers.start()
    },
    async close() {
      closing.abort()
      parts.connections?.close()
      caches.closeWatchers()
      await definitions.close()
      await controllers.close()
      aggregation.close()
      await feed.close()
    },
  }
}

type Counting = Pick<ServerParts, 'metrics' | 'healthMetrics' | 'moreMetrics'>

function metricsOf({ moreMetrics = () => [] }: ApiServerOptions): Counting {
  return { metrics: new RequestMetrics(), healthMetrics: new HealthMetrics(), moreMetrics }
}

function servedBy({ apis = usualApis() }: ApiServerOptions): {
  readonly resources: ResourceTable
  readonly features: Features
} {
  const { catalog, features } = apis
  return { resources: new ResourceTable(catalog, builtInKinds(features)), features }
}

function serviceAllocator(options: ApiServerOptions, reader: ObjectReader): ServiceAllocator {
  const { random, serviceCidrs = ['10.96.0.0/12'], nodePortRange = { from: 30_000, to: 32_767 } } = options
  return new ServiceAllocator({ reader, random, serviceCidrs, nodePortRange })
}

/** Connections that leave HTTP go to the server that answers for their path, or to a kubelet. */
function upgradeHandler(aggregation: Aggregation, connections: NodeConnections | undefined): UpgradeHandler {
  return async (upgrade) => {
    const service = aggregation.serviceOf(upgrade.request.path)
    if (service !== undefined) return aggregation.upgrade(service, upgrade)
    if (connections === undefined) throw badRequest('this server does not upgrade connections')
    return connections.upgrade(upgrade)
  }
}
