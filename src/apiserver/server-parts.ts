import type { Features } from '#api/features.ts'
import type { ApiRequest, ApiResponse } from '#api/meta/exchange.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { Clock } from '#lib/clock.ts'
import type { KeyedTurns } from '#lib/keyed-turns.ts'
import type { Log } from '#lib/log.ts'
import type { MetricFamily } from '#lib/metrics/metric.ts'
import type { Random } from '#lib/random.ts'
import type { Store } from '#storage/store.ts'
import type { AdmissionPlugin } from './admission/admission.ts'
import type { Programs } from './admission/programs.ts'
import type { WebhookCaller } from './webhooks/webhook-caller.ts'
import type { Aggregation } from './aggregation/aggregation.ts'
import type { Authenticator } from './authn/authenticator.ts'
import type { Authorizer } from './authz/authorizer.ts'
import type { CacheSet } from './cache/cache-set.ts'
import type { ObjectCodec } from './cache/object-codec.ts'
import type { StoreFeed } from './cache/store-feed.ts'
import type { FlowControl } from './flowcontrol/flow-control.ts'
import type { HealthMetrics } from './metrics/health-metrics.ts'
import type { RequestMetrics } from './metrics/request-metrics.ts'
import type { ObjectReader } from './registry/object-reader.ts'
import type { ServiceAllocator } from './registry/services/service-allocator.ts'
import type { NodeConnections } from './streaming/node-connections.ts'
import type { ReviewParts } from './reviews/review-handler.ts'
import type { TokenIssuer } from './tokens/token-issuer.ts'
import type { ComponentHealth } from './component-health.ts'
import type { ResourceTable } from './registry/resource-table.ts'

/** Answers a request that is allowed, or nothing where the path is none of its own. */
export type PathHandler = (request: ApiRequest) => ApiResponse | undefined

export interface AboutServer {
  readonly features: Features
  readonly flags: Readonly<Record<string, string>>
  readonly startedMs: number
}

/** What the steps and verbs of one server share. Made by `createApiServer`, handed down, never global. */
export interface ServerParts {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly codec: ObjectCodec
  readonly caches: CacheSet
  readonly feed: StoreFeed
  readonly resources: ResourceTable
  readonly reader: ObjectReader
  readonly authenticators: readonly Authenticator[]
  readonly authorizers: readonly Authorizer[]
  readonly admission: readonly AdmissionPlugin[]
  /** For admission plugins that keep books in the status of an object. */
  readonly updateStatus: (resource: Resource, object: KubernetesObject) => Promise<unknown>
  readonly turns: KeyedTurns
  /** Gives out cluster IPs and node ports. */
  readonly services: ServiceAllocator
  /** Signs service-account tokens; absent where the server has no key. */
  readonly tokens: TokenIssuer | undefined
  /** Answers access and token reviews; absent where the server knows no users. */
  readonly reviews: ReviewParts | undefined
  /** Reaches kubelets for logs, exec and proxying; absent where no node can be reached. */
  readonly connections: NodeConnections | undefined
  /** Reaches admission webhooks; absent where none can be called. */
  readonly callWebhook: WebhookCaller | undefined
  /** Expressions of policies and webhooks that were compiled before. */
  readonly programs: Programs
  /** What other API servers answer for. */
  readonly aggregation: Aggregation
  readonly metrics: RequestMetrics
  readonly healthMetrics: HealthMetrics
  /** Answers paths that name no resource and that the server itself does not know. */
  readonly morePaths: PathHandler | undefined
  /** What other parts of this process count. */
  readonly moreMetrics: () => readonly MetricFamily[]
  /** What the server tells of itself. */
  readonly about: AboutServer
  /** How the other parts of the control plane fare, asked now. */
  readonly components: () => readonly ComponentHealth[]
  readonly flowControl: FlowControl
  /** Aborted when the server closes: ends watches. */
  readonly closing: AbortSignal
}
