import type { UserInfo } from '#api/meta/exchange.ts'
import { keyOf, type KubernetesObject, type Resource } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Informer } from '#client/informer.ts'
import type { MetricFamily } from '#lib/metrics/metric.ts'
import { MetricSet } from '#lib/metrics/metric-set.ts'
import { WorkQueue } from '#lib/work-queue.ts'
import { TerminalError, type Controller, type ControllerContext, type Watch } from './controller.ts'
import { Expectations, expectingClient } from './expectations.ts'
import { queueGauges, queueName, queueObserver } from './queue-metrics.ts'

export interface RunningControllers {
  /** Resolves once every controller has its informers' first lists and works. */
  readonly started: Promise<void>
  /** Takes no more work and resolves when the work under way has ended. */
  stop(): Promise<void>
  metrics(): readonly ControllerMetrics[]
  /** The queues' and the controllers' own figures, with the names that users of Kubernetes know. */
  metricFamilies(): readonly MetricFamily[]
  /** Whether no controller has work waiting or under way; delayed keys do not count. */
  isIdle(): boolean
}

/** Counters since the start, except `depth`, `active` and `waiting`, which are now. */
export interface ControllerMetrics {
  readonly name: string
  readonly depth: number
  readonly active: number
  /** Keys whose informers have not yet seen what was written for them. */
  readonly waiting: number
  readonly reconciles: number
  readonly failures: number
  readonly conflicts: number
  readonly seconds: number
}

export interface RunOptions {
  /** Whom a controller acts as; absent: all act as the context's client. Informers are shared and always act as that. */
  readonly actAs?: (controller: Controller) => UserInfo
}

/** The service account in `kube-system` that the bootstrap roles grant a controller's rights. */
export function controllerServiceAccount({ name, serviceAccount = name }: Controller): UserInfo {
  const groups = ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated']
  return { name: `system:serviceaccount:kube-system:${serviceAccount}`, groups }
}

/** Runs control loops until the context's signal aborts or `stop` is called. */
export function runControllers(
  controllers: readonly Controller[],
  around: Omit<ControllerContext, 'metrics'>,
  options: RunOptions = {},
): RunningControllers {
  const context = { ...around, metrics: new MetricSet() }
  const loops = controllers.map((controller) => new ControlLoop(controller, contextOf(controller, context, options)))
  const stop = async (): Promise<void> => {
    await Promise.all(loops.map((loop) => loop.stop()))
  }
  context.signal.addEventListener('abort', () => void stop(), { once: true })
  return {
    started: start(loops, context),
    stop,
    metrics: () => loops.map((loop) => loop.metrics()),
    metricFamilies: () => [
      ...queueGauges(new Map(loops.map(({ queue }) => [queue.name, queue.work]))),
      ...context.metrics.read(),
    ],
    isIdle: () => loops.every((loop) => loop.isIdle),
  }
}

async function start(loops: readonly ControlLoop[], context: ControllerContext): Promise<void> {
  try {
    await context.informers.synced(context.signal)
  } catch (error) {
    if (context.signal.aborted) return
    throw error
  }
  for (const loop of loops) loop.start()
}

function contextOf(controller: Controller, context: ControllerContext, { actAs }: RunOptions): ControllerContext {
  const { name, eventSource = name } = controller
  return {
    ...context,
    client: actAs === undefined ? context.client : context.client.as(actAs(controller)),
    events: context.events.from(eventSource),
    log: context.log.with({ controller: name }),
  }
}

class ControlLoop {
  readonly #controller: Controller
  readonly #context: ControllerContext
  readonly #queue: WorkQueue
  readonly #observer: ReturnType<typeof queueObserver>
  readonly #informers = new Map<string, Informer<KubernetesObject>>()
  readonly #expectations: Expectations
  readonly #parked = new Set<string>()
  readonly #removers: (() => void)[] = []
  readonly #counts = { reconciles: 0, failures: 0, conflicts: 0, seconds: 0 }

  constructor(controller: Controller, context: ControllerContext) {
    this.#controller = controller
    this.#context = context
    this.#expectations = new Expectations((resource) => this.#informers.get(resourceKey(resource)))
    this.#observer = queueObserver(queueName(controller), context.metrics)
    this.#queue = new WorkQueue({
      clock: context.clock,
      observer: this.#observer,
      concurrency: controller.concurrency ?? 5,
      work: (key) => this.#work(key),
    })
    for (const watch of controller.watches) this.#watch(watch)
    controller.watchMore?.(context, (watch) => this.#watch(watch))
  }

  get queue(): { readonly name: string; readonly work: WorkQueue } {
    return { name: queueName(this.#controller), work: this.#queue }
  }

  get isIdle(): boolean {
    return this.#queue.depth === 0 && this.#queue.active === 0 && this.#parked.size === 0
  }

  start(): void {
    this.#queue.start()
  }

  async stop(): Promise<void> {
    for (const remove of this.#removers) remove()
    await this.#queue.stop()
  }

  metrics(): ControllerMetrics {
    const { depth, active } = this.#queue
    return { name: this.#controller.name, depth, active, waiting: this.#parked.size, ...this.#counts }
  }

  #watch(watch: Watch): void {
    const informer = this.#context.informers.of(watch.resource)
    this.#informers.set(resourceKey(watch.resource), informer)
    const enqueue = (object: KubernetesObject, previous?: KubernetesObject): void => {
      const keys = watch.keysOf === undefined ? [keyOf(object)] : watch.keysOf(object, this.#context, previous)
      for (const key of keys) this.#queue.add(key)
      if (this.#parked.size > 0) this.#unpark()
    }
    this.#removers.push(
      informer.listen({ added: (object) => enqueue(object), updated: enqueue, deleted: (object) => enqueue(object) }),
    )
  }

  #unpark(): void {
    for (const key of this.#parked) {
      if (!this.#expectations.fulfilled(key)) continue
      this.#parked.delete(key)
      this.#queue.add(key)
    }
  }

  async #work(key: string): Promise<void> {
    this.#parked.delete(key)
    if (!this.#expectations.fulfilled(key)) {
      this.#parked.add(key)
      return
    }
    const { clock, client } = this.#context
    const context = { ...this.#context, client: expectingClient(client, this.#expectations, key) }
    const startedMs = clock.monotonic()
    this.#counts.reconciles++
    try {
      const result = await this.#controller.reconcile(key, context)
      this.#queue.forget(key)
      if (result?.requeueAfterMs !== undefined) this.#queue.addAfter(key, result.requeueAfterMs)
    } catch (error) {
      this.#failed(key, error)
    }
    const seconds = (clock.monotonic() - startedMs) / 1_000
    this.#observer.worked(seconds)
    this.#counts.seconds += seconds
  }

  #failed(key: string, error: unknown): void {
    const { log, signal } = this.#context
    if (signal.aborted) return
    if (isStatusError(error, 'Conflict')) {
      this.#counts.conflicts++
      this.#queue.retry(key)
      return
    }
    this.#counts.failures++
    if (error instanceof TerminalError) {
      this.#queue.forget(key)
      log.error('Reconciling failed for good', { key, error })
    } else {
      const tries = this.#queue.retry(key)
      // What the server says is expected now and then; what we did not foresee needs its stack.
      const fields = { key, tries, error: isStatusError(error) ? error.message : error }
      if (tries > 3 || !isStatusError(error)) log.warn('Reconciling failed, will try again', fields)
      else log.info('Reconciling failed, will try again', fields)
    }
  }
}

function resourceKey(resource: Resource): string {
  return `${resource.group}/${resource.version}/${resource.plural}`
}
