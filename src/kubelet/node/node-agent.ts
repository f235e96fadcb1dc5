import { isStatusError } from '#api/meta/status.ts'
import { nodes } from '#api/types/resources.ts'
import type { Node, NodeStatus } from '#api/types/core.v1.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { ImageInfo } from '../cri/image.ts'
import type { ContainerRuntime, RuntimeHandler } from '../cri/runtime.ts'
import type { DeviceCount } from '../devices/device-plugins.ts'
import type { PressureCondition } from '../eviction/signals.ts'
import { shutdownComplaint } from '../shutdown/node-shutdown.ts'
import { isSame } from '../status/status-patch.ts'
import { nodeConditions, type NodeHealth } from './node-conditions.ts'
import { withExtendedResources } from './extended-resources.ts'
import { NodeLease } from './node-lease.ts'
import { nodeLabels, nodeObject, nodeStatus, type NodeDescription } from './node-object.ts'

export interface NodeAgentOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  readonly events: EventRecorder
  readonly runtime: ContainerRuntime
  /** What runs out, as the eviction manager has it. */
  readonly pressure: () => ReadonlySet<PressureCondition>
  /** The node goes down: it is not ready, whatever its runtime says. */
  readonly isShuttingDown: () => boolean
  /** Unique names of the volumes that must not be detached. */
  readonly volumesInUse: () => readonly string[]
  readonly description: NodeDescription
  /** What device plugins add to the node. */
  readonly deviceCounts: () => readonly DeviceCount[]
}

const newTroubleMs = 15_000
const newTroubleLookMs = 50
const troubleLookMs = 1_000
/** Images are listed anew at every so-manieth heartbeat. */
const imageListEvery = 6
const firstRetryMs = 100
const longestRetryMs = 7_000

/** Registers the node, keeps its status true and its lease alive. */
export class NodeAgent {
  readonly #options: NodeAgentOptions
  readonly #lease: NodeLease
  readonly #stop = new AbortController()
  #node: Node | undefined
  #images: readonly ImageInfo[] = []
  /** Whether the runtime can leave out the groups that an image gives. */
  #groupsPolicy = false
  #handlers: readonly RuntimeHandler[] = []
  #reportedAtMs = -Infinity
  #beats = 0
  #unhealthySinceMs: number | undefined
  #loop: Promise<void> | undefined

  constructor(options: NodeAgentOptions) {
    this.#options = options
    this.#lease = new NodeLease(options, options.description.settings.heartbeat.leaseSeconds)
  }

  /** The node as the API had it last. */
  get node(): Node | undefined {
    return this.#node
  }

  /** What the runtime said last that its handlers can do, by name. */
  get runtimeHandlers(): readonly RuntimeHandler[] {
    return this.#handlers
  }

  /** Resolves when the node is registered with its first status; goes on with heartbeats until `stop`. */
  async start(): Promise<void> {
    let retryMs = firstRetryMs
    for (;;) {
      try {
        await this.#register()
        break
      } catch (error) {
        this.#stop.signal.throwIfAborted()
        this.#options.log.warn('node not registered', { error })
        await this.#options.clock.sleep(retryMs, this.#stop.signal)
        retryMs = Math.min(retryMs * 2, longestRetryMs)
      }
    }
    const { events } = this.#options
    if (this.#node) events.record(this.#node, 'Normal', 'Starting', 'Starting kubelet.')
    this.#loop = this.#heartbeats()
  }

  /** A node that never had an attached volume need not say that it has none. */
  #volumesInUse(known: NodeStatus): Pick<NodeStatus, 'volumesInUse'> {
    const volumesInUse = this.#options.volumesInUse()
    return volumesInUse.length === 0 && known.volumesInUse === undefined ? {} : { volumesInUse }
  }

  /** Something that the status tells has changed: it is written now instead of at the next heartbeat. */
  reportNow(): void {
    if (this.#loop === undefined) return
    this.#health()
      .then((health) => this.#report(health))
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) this.#options.log.warn('node status not written', { error })
      })
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the kubelet stops'))
    await this.#loop
  }

  async #register(): Promise<void> {
    const { client, description, runtime, clock } = this.#options
    const [health, images] = await Promise.all([this.#health(), runtime.listImages().catch(() => [])])
    this.#images = images
    const own = client.resource(nodes)
    const conditions = nodeConditions(health, [], clock.now())
    const status = { ...nodeStatus(description, images), ...this.#features(), conditions }
    const { signal } = this.#stop
    this.#node = description.settings.registersNode
      ? await own.create({ ...nodeObject(description), status }, { signal }).catch(async (error: unknown) => {
          if (!isStatusError(error, 'AlreadyExists')) throw error
          return this.#reclaim(await own.get(description.name, { signal }))
        })
      : await own.get(description.name, { signal })
    await this.#report(health)
    await this.#lease.renew(this.#node, signal)
  }

  /** The node was here before: its labels are brought up to date, what others have set stays. */
  async #reclaim(node: Node): Promise<Node> {
    const { client, description } = this.#options
    const wanted = nodeLabels(description)
    if (Object.entries(wanted).every(([key, value]) => node.metadata.labels?.[key] === value)) return node
    return client
      .resource(nodes)
      .patch(description.name, { type: 'strategic', patch: { metadata: { labels: wanted } } })
  }

  async #heartbeats(): Promise<void> {
    const { clock, log } = this.#options
    const { signal } = this.#stop
    const { statusUpdateMs, leaseSeconds } = this.#options.description.settings.heartbeat
    // The lease is renewed four times as often as it would run out.
    const heartbeatMs = Math.min(statusUpdateMs, (leaseSeconds * 1000) / 4)
    let beatAtMs = clock.monotonic() + heartbeatMs
    while (!signal.aborted) {
      const untilBeatMs = Math.max(0, beatAtMs - clock.monotonic())
      await clock.sleep(Math.min(untilBeatMs, this.#lookAgainMs()), signal).catch(() => undefined)
      if (signal.aborted) return
      try {
        const isDue = clock.monotonic() >= beatAtMs
        if (!isDue && (await this.#health()).complaints.length > 0) continue
        beatAtMs = clock.monotonic() + heartbeatMs
        await this.#beat()
      } catch (error) {
        if (!signal.aborted) log.warn('heartbeat failed', { error })
      }
    }
  }

  /** While pods cannot run, it is looked often whether they can: a new node waits only for its network. */
  #lookAgainMs(): number {
    if (this.#unhealthySinceMs === undefined) return Infinity
    const lastedMs = this.#options.clock.monotonic() - this.#unhealthySinceMs
    return lastedMs < newTroubleMs ? newTroubleLookMs : troubleLookMs
  }

  async #beat(): Promise<void> {
    const { runtime } = this.#options
    this.#beats++
    if (this.#beats % imageListEvery === 0) this.#images = await runtime.listImages().catch(() => this.#images)
    const health = await this.#health()
    if (this.#node === undefined) return
    await Promise.all([this.#lease.renew(this.#node, this.#stop.signal), this.#report(health)])
  }

  async #health(): Promise<NodeHealth> {
    const { runtime, pressure, isShuttingDown } = this.#options
    const status = await runtime.status().catch((error: unknown) => ({
      runtimeReady: false,
      networkReady: true,
      supplementalGroupsPolicy: undefined,
      handlers: undefined,
      message: `container runtime is down: ${error instanceof Error ? error.message : String(error)}`,
    }))
    this.#groupsPolicy = status.supplementalGroupsPolicy ?? this.#groupsPolicy
    this.#handlers = status.handlers?.toSorted((a, b) => (a.name < b.name ? -1 : 1)) ?? this.#handlers
    const isFine = status.runtimeReady && status.networkReady
    this.#unhealthySinceMs = isFine ? undefined : (this.#unhealthySinceMs ?? this.#options.clock.monotonic())
    const subject = status.runtimeReady ? 'container runtime network not ready' : 'container runtime not ready'
    const complaints = isFine ? [] : [`${subject}: ${status.message}`]
    if (isShuttingDown()) complaints.push(shutdownComplaint)
    return { pressure: pressure(), complaints }
  }

  #features(): Pick<NodeStatus, 'features' | 'runtimeHandlers'> {
    const runtimeHandlers = this.#handlers.map(({ name, recursiveReadOnly, userNamespaces }) => ({
      name,
      features: { recursiveReadOnlyMounts: recursiveReadOnly, userNamespaces },
    }))
    return {
      features: { supplementalGroupsPolicy: this.#groupsPolicy },
      ...(runtimeHandlers.length > 0 && { runtimeHandlers }),
    }
  }

  /** Writes what differs from the API's status; the same again only now and then. */
  async #report(health: NodeHealth): Promise<void> {
    const { client, clock, description, events } = this.#options
    if (this.#node === undefined) return
    const known = this.#node.status ?? {}
    const nowMs = clock.now()
    const conditions = nodeConditions(health, known.conditions ?? [], nowMs)
    const patch = statusDifference(
      known,
      withExtendedResources(
        { ...nodeStatus(description, this.#images), ...this.#volumesInUse(known), ...this.#features(), conditions },
        known,
        this.#options.deviceCounts(),
      ),
      nowMs - this.#reportedAtMs >= description.settings.heartbeat.statusReportMs,
    )
    if (patch === undefined) return
    const before = known.conditions?.find(({ type }) => type === 'Ready')?.status
    const after = conditions.find(({ type }) => type === 'Ready')?.status
    try {
      const request = { type: 'strategic', patch: { status: patch } } as const
      this.#node = await client
        .resource(nodes)
        .patch(description.name, request, { subresource: 'status', signal: this.#stop.signal })
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error
      // Somebody has deleted the node: it comes back.
      this.#node = undefined
      return this.#register()
    }
    this.#reportedAtMs = nowMs
    if (before !== after) {
      const reason = after === 'True' ? 'NodeReady' : 'NodeNotReady'
      events.record(this.#node, 'Normal', reason, `Node ${description.name} status is now: ${reason}`)
    }
  }
}

/** What to write, or `undefined` when nothing but the time has changed. `isDue`: write the heartbeat times anyway. */
export function statusDifference(known: NodeStatus, wanted: NodeStatus, isDue: boolean): object | undefined {
  const changes: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(wanted) as [keyof NodeStatus, unknown][]) {
    if (name === 'conditions' || isSame(known[name], value)) continue
    changes[name] = name === 'addresses' ? [...(value as readonly unknown[]), { $patch: 'replace' }] : value
  }
  const isChanged = (wanted.conditions ?? []).some((condition) => {
    const before = known.conditions?.find(({ type }) => type === condition.type)
    return (
      before?.status !== condition.status || before.reason !== condition.reason || before.message !== condition.message
    )
  })
  if (isChanged || isDue) changes['conditions'] = wanted.conditions
  return Object.keys(changes).length === 0 ? undefined : changes
}
