import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Informers } from '#client/informer.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { MetricSet } from '#lib/metrics/metric-set.ts'
import type { Random } from '#lib/random.ts'

/** What a controller is given: everything it may touch. */
export interface ControllerContext {
  readonly client: Client
  readonly informers: Informers
  readonly events: EventRecorder
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Where it counts what it does. */
  readonly metrics: MetricSet
  /** Aborted when the controller must stop. */
  readonly signal: AbortSignal
}

/** A resource to watch, and the queue keys (`namespace/name`) that a change of one of its objects concerns. */
export interface Watch<T extends KubernetesObject = KubernetesObject> {
  readonly resource: Resource<T>
  /** Default: the object's own key. `previous` is set for updates; return keys of both states where they differ. */
  readonly keysOf?: (object: T, context: ControllerContext, previous?: T) => readonly string[]
}

/** One verb on one resource that a controller performs; RBAC rules and the documentation table come from these. */
export interface Write {
  /** A resource of the API, its plural with a subresource as `pods/status`. */
  readonly resource: Pick<Resource, 'group' | 'plural'>
  readonly subresource?: string
  /** Only the object of this name; absent: any. */
  readonly objectName?: string
  readonly verbs: readonly ('create' | 'update' | 'patch' | 'delete' | 'deletecollection' | 'get')[]
}

/** When to look at the key again although nothing changes. */
export interface ReconcileResult {
  readonly requeueAfterMs?: number
}

/**
 * A control loop as a value. `reconcile` observes the informers' state of one key, decides by a pure function, and
 * applies. It runs never twice for the same key at once, and never before the informers of its watches have caught up
 * with what it wrote for that key before. A thrown error requeues the key
 * with backoff, except a `TerminalError`; a Conflict is retried without being logged as a failure.
 */
export interface Controller {
  readonly name: string
  /** The service account in `kube-system` whose bootstrap role grants its rights; default: its name. */
  readonly serviceAccount?: string
  /** The component its events come from, where users know it by another name; default: its name. */
  readonly eventSource?: string
  /** The queue's name in metrics, where users know it by another one than `queueName` derives. */
  readonly queueName?: string
  readonly watches: readonly Watch[]
  /** Called once before the first work: adds watches of resources that are only known at run time, then or later. */
  readonly watchMore?: (context: ControllerContext, watch: (watch: Watch) => void) => void
  readonly writes: readonly Write[]
  /** Keys worked on at once; default 5. */
  readonly concurrency?: number
  readonly reconcile: (key: string, context: ControllerContext) => Promise<ReconcileResult | void>
}

/** Fixes the type of a declaration; the value is what it is given. */
export function defineController(controller: Controller): Controller {
  return controller
}

/** A watch with the type of its resource's objects checked. */
export function watchOf<T extends KubernetesObject>(resource: Resource<T>, keysOf?: Watch<T>['keysOf']): Watch {
  return { resource, ...(keysOf && { keysOf }) } as unknown as Watch
}

/** Marks a failure that trying again cannot mend: the key waits for its next change. */
export class TerminalError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TerminalError'
  }
}
