import { createPodCertificates } from '../certificates/pod-certificates.ts'
import { isSame } from '../status/status-patch.ts'
import { notFound } from '#api/meta/status.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { ConfigMap, Pod, PodSpec, PodStatus } from '#api/types/core.v1.ts'
import type { Client, Patch, WatchEvent } from '#client/client.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Informer, InformerListener, Informers } from '#client/informer.ts'
import { formatTime, manualClock, type ManualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { seededRandom } from '#lib/random.ts'
import type { RuntimeHandler } from '../cri/runtime.ts'
import { createImageManager } from '../images/image-manager.ts'
import { KubeletMetrics } from '../metrics/kubelet-metrics.ts'
import { createObjectSource } from '../objects/pod-objects.ts'
import { createProbers } from '../probes/prober.ts'
import type { SimulatedBehaviour } from '../simulated/behaviour.ts'
import { EventFeed } from '../simulated/event-feed.ts'
import { simulatedNode } from '../simulated/simulated-node.ts'
import { simulatedRuntime } from '../simulated/simulated-runtime.ts'
import type { ProbeRunner } from '../probes/run-probe.ts'
import { createTokenSource } from '../volumes/token-source.ts'
import { PodWorkers } from './pod-workers.ts'
import { defaultSettings } from '../configuration/kubelet-settings.ts'

type StatusChange = { readonly [Key in keyof PodStatus]: PodStatus[Key] | null }

/** A node with simulated containers, and as much of an API as pod workers use, on a clock that tests advance. */
export class PodWorld {
  readonly clock: ManualClock = manualClock()
  /** `Reason: message` of all events, in order. */
  readonly events: string[] = []
  /** Names of pods whose objects the kubelet has deleted. */
  readonly deleted: string[] = []
  /** What the runtime can do. */
  handlers: readonly RuntimeHandler[] = []
  readonly #pods = new Map<string, Pod>()
  readonly #configMaps = new Map<string, ConfigMap>()
  readonly #feed = new EventFeed<WatchEvent<ConfigMap> & { readonly type: 'ADDED' }>()
  readonly #runtime
  readonly #probe: ProbeRunner | undefined
  #listener: InformerListener<Pod> | undefined
  #workers: PodWorkers
  #version = 1

  constructor(behaviour: SimulatedBehaviour = {}, probe?: ProbeRunner) {
    const random = seededRandom(1)
    this.#runtime = simulatedRuntime({ clock: this.clock, random, podCidr: '10.1.0.0/24', behaviour })
    this.#probe = probe
    this.#workers = this.#start()
  }

  get runtime() {
    return this.#runtime
  }

  async settle(durationMs = 0): Promise<void> {
    await this.clock.advance(durationMs)
    for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
  }

  create(name: string, spec: Partial<PodSpec>): void {
    const metadata = {
      name,
      namespace: 'ns',
      uid: `uid-${name}`,
      creationTimestamp: '',
      resourceVersion: this.#nextVersion(),
    }
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { containers: [{ name: 'c', image: 'app:1' }], ...spec },
    }
    this.#pods.set(name, pod)
    this.#listener?.added?.(pod)
  }

  askToDelete(name: string, deletionGracePeriodSeconds: number): void {
    const deletionTimestamp = formatTime(this.clock.now())
    this.#change(name, ({ metadata }) => ({ metadata: { ...metadata, deletionTimestamp, deletionGracePeriodSeconds } }))
  }

  get(name: string): Pod | undefined {
    return this.#pods.get(name)
  }

  /** The states of a pod's containers in one line: `c=running#1 d=CrashLoopBackOff#3`. */
  summary(name: string): string {
    const { phase, initContainerStatuses = [], containerStatuses = [] } = this.#pods.get(name)?.status ?? {}
    const parts = [...initContainerStatuses, ...containerStatuses].map(
      ({ name: container, state, restartCount, ready }) => {
        const word = state?.running
          ? 'running'
          : (state?.waiting?.reason ?? `${state?.terminated?.reason}(${state?.terminated?.exitCode})`)
        return `${container}=${word}#${restartCount}${ready ? '+' : ''}`
      },
    )
    return [phase, ...parts].join(' ')
  }

  putConfigMap(name: string): void {
    const metadata = { name, namespace: 'ns', uid: name, creationTimestamp: '', resourceVersion: this.#nextVersion() }
    const object: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { k: 'v' } }
    this.#configMaps.set(name, object)
    this.#feed.push({ type: 'ADDED', object })
  }

  /** Resolves when the pod has ended. */
  async evict(name: string, message: string): Promise<void> {
    await this.#workers.find('ns', name)?.evict(message, 1)
  }

  /** What a restart of the kubelet does: new workers over the same runtime. */
  async restart(): Promise<void> {
    await this.#workers.stop()
    this.#workers = this.#start()
  }

  async stop(): Promise<void> {
    const stopped = this.#workers.stop()
    await this.settle(60_000)
    await stopped
  }

  /** An object vanishes from the API without the kubelet's doing. */
  vanish(name: string): void {
    const pod = this.#pods.get(name)
    this.#pods.delete(name)
    if (pod) this.#listener?.deleted?.(pod)
  }

  #start(): PodWorkers {
    const { clock } = this
    const random = seededRandom(2)
    const metrics = new KubeletMetrics()
    const client = this.#client()
    const events = this.#recorder()
    const effects = simulatedNode(this.#probe ? { probe: this.#probe } : {})
    const runtime = this.#runtime
    const workers = new PodWorkers({
      client,
      clock,
      metrics,
      random,
      log: silentLog,
      events,
      runtime,
      runtimeName: 'sim',
      host: effects.host,
      nodeFiles: effects.files,
      images: createImageManager({ settings: defaultSettings, runtime, clock, events }),
      objects: createObjectSource({ client, clock, informers: {} as Informers }),
      tokens: createTokenSource({ client, clock, random }),
      certificates: createPodCertificates({ client, clock, random, events, nodeName: 'n1' }),
      probers: createProbers({ clock, random, events, metrics, run: effects.probe }),
      runtimeHandler: () => '',
      runtimeHandlers: () => this.handlers,
      isShuttingDown: () => false,
      services: () => [],
      node: () => undefined,
      admittedPods: () => [],
      pressure: () => new Set(),
      nodeName: 'n1',
      hostIps: ['192.168.0.1'],
      allocatable: () => ({}),
      memoryCapacityBytes: 1024 ** 3,
      hugePageSizes: [],
      hasAppArmor: false,
      clusterDns: [],
      clusterDomain: 'cluster.local',
      settings: defaultSettings,
      seccompDirectory: '/',
    })
    workers.start(this.#informer())
    return workers
  }

  #informer(): Informer<Pod> {
    const listen = (listener: InformerListener<Pod>): (() => void) => {
      this.#listener = listener
      for (const pod of this.#pods.values()) listener.added?.(pod)
      return () => (this.#listener = undefined)
    }
    return { listen } as unknown as Informer<Pod>
  }

  #recorder(): EventRecorder {
    const recorder: EventRecorder = {
      record: (_about, _type, reason, message) => void this.events.push(`${reason}: ${message}`),
      from: () => recorder,
    }
    return recorder
  }

  #client(): Client {
    const feed = this.#feed
    const resource = (kind: Resource) => ({
      patch: async (name: string, patch: Patch) => this.#patchStatus(name, patch),
      delete: async (name: string) => {
        this.deleted.push(name)
        this.vanish(name)
      },
      list: async ({ fieldSelector = '' }: { fieldSelector?: string }) => {
        const object =
          kind.plural === 'configmaps' ? this.#configMaps.get(fieldSelector.split('=')[1] ?? '') : undefined
        return { items: object === undefined ? [] : [object], resourceVersion: '1' }
      },
      async *watch({ signal, fieldSelector = '' }: { signal: AbortSignal; fieldSelector?: string }) {
        for await (const event of feed.follow(signal)) {
          if (event.object.metadata.name === fieldSelector.split('=')[1]) yield event
        }
      },
    })
    return { resource } as unknown as Client
  }

  #patchStatus(name: string, patch: Patch): KubernetesObject {
    if (patch.type !== 'strategic' || !this.#pods.has(name)) throw notFound({ group: '', resource: 'pods', name })
    const { status } = patch.patch as { readonly status: StatusChange }
    return this.#change(name, (pod) => ({ status: merged(pod.status ?? {}, status) }))
  }

  #change(name: string, changeOf: (pod: Pod) => Partial<Pod>): Pod {
    const before = this.#pods.get(name) as Pod
    const changed = { ...before, ...changeOf(before) }
    const after = { ...changed, metadata: { ...changed.metadata, resourceVersion: this.#nextVersion() } }
    if (isSame({ ...changed, metadata: before.metadata }, before) && isSame(changed.metadata, before.metadata)) {
      throw new Error('a patch that changes nothing was sent')
    }
    this.#pods.set(name, after)
    this.#listener?.updated?.(after, before)
    return after
  }

  #nextVersion(): string {
    return String(this.#version++)
  }
}

function merged(before: PodStatus, change: StatusChange): PodStatus {
  const after: Record<string, unknown> = { ...before }
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete after[key]
    else after[key] = Array.isArray(value) ? value.filter((item: object) => !('$patch' in item)) : value
  }
  const conditions = new Map((before.conditions ?? []).map((condition) => [condition.type, condition]))
  for (const condition of change.conditions ?? []) {
    if ('$patch' in condition) {
      conditions.delete(condition.type)
      continue
    }
    const entries = Object.entries({ ...conditions.get(condition.type), ...condition }).filter(
      ([, value]) => value !== null,
    )
    conditions.set(
      condition.type,
      Object.fromEntries(entries) as unknown as NonNullable<PodStatus['conditions']>[number],
    )
  }
  return { ...after, conditions: [...conditions.values()] }
}
