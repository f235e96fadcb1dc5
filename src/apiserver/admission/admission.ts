import type { UserInfo } from '#api/meta/exchange.ts'
import type { Draft } from '#api/kind.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { Clock } from '#lib/clock.ts'
import type { KeyedTurns } from '#lib/keyed-turns.ts'
import type { Random } from '#lib/random.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import type { Programs } from './programs.ts'
import type { Reinvocation } from './reinvocation.ts'
import type { WebhookCaller } from '../webhooks/webhook-caller.ts'
import type { ResourceTable } from '../registry/resource-table.ts'
import type { RequestInfo } from '../request-info.ts'

/** One write on its way to the store. */
export interface AdmissionRequest {
  readonly info: RequestInfo
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  readonly user: UserInfo
  /** What will be stored; absent for DELETE. Mutating plugins change it in place. */
  readonly object: Draft<KubernetesObject> | undefined
  /** What is stored now; absent for CREATE. */
  readonly oldObject: KubernetesObject | undefined
  readonly dryRun: boolean
  /** Kept over the rounds of plugins that change the object; absent while they only judge. */
  readonly reinvocation?: Reinvocation
  /** Adds a `Warning` header to the answer. Absent where nobody would read it. */
  readonly warn?: (message: string) => void
}

export interface AdmissionContext {
  readonly reader: ObjectReader
  readonly clock: Clock
  readonly random: Random
  /** The resources that are served, for plugins that read objects of kinds they are told of. */
  readonly resources?: ResourceTable
  /** Reaches admission webhooks; absent where none can be called. */
  readonly callWebhook?: WebhookCaller | undefined
  /** Expressions that were compiled before, by their text. Absent: each use compiles. */
  readonly programs?: Programs | undefined
  /** For plugins that ask whether the user may do one thing more. */
  readonly authorizers: readonly Authorizer[]
  /**
   * Replaces a stored object by one with another status, as the server itself; resolves when readers see it, and rejects
   * with Conflict when `object` is stale. Absent: plugins that keep books (quota) count anew each time.
   */
  readonly updateStatus?: (resource: Resource, object: KubernetesObject) => Promise<unknown>
  /** Runs work of one key in turn, so that those who write the same books do not keep losing to each other. */
  readonly turns?: KeyedTurns
}

/** A plugin is one file and one row in `admission/plugins.ts`. Both functions refuse by throwing a `StatusError`. */
export interface AdmissionPlugin {
  readonly name: string
  /** Resources (`group/plural` or `plural` of the core group; `*` for all) and operations it wants to see. */
  readonly resources: readonly string[]
  readonly operations: readonly AdmissionRequest['operation'][]
  /** Subresources it wants to see; default: only the main resource. `*`: all. */
  readonly subresources?: readonly string[]
  readonly mutate?: (request: AdmissionRequest, context: AdmissionContext) => void | Promise<void>
  readonly validate?: (request: AdmissionRequest, context: AdmissionContext) => void | Promise<void>
}
