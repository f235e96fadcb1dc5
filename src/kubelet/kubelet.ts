import { join } from 'node:path'
import { resourceAmounts } from '#api/core/v1/resource-amounts.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import type { RuntimeClass } from '#api/types/node.v1.ts'
import { nodes, pods, runtimeClasses, services } from '#api/types/resources.ts'
import type { Informer } from '#client/informer.ts'
import type { MetricFamily } from '#lib/metrics/metric.ts'
import { createCsiService, type CsiService } from './csi/csi-service.ts'
import { defaultSettings, type KubeletSettings } from './configuration/kubelet-settings.ts'
import type { RuntimeVersion } from './cri/runtime.ts'
import { createNodeDevices } from './devices/node-devices.ts'
import { createImageManager } from './images/image-manager.ts'
import { PullRecords } from './images/pull-records.ts'
import type { KubeletOptions, NodeEffects } from './kubelet-options.ts'
import { NodeAgent } from './node/node-agent.ts'
import { KubeletMetrics } from './metrics/kubelet-metrics.ts'
import { measuredRuntime } from './metrics/measured-runtime.ts'
import type { MachineFacts } from './node/node-machine.ts'
import type { NodeDescription } from './node/node-object.ts'
import { nodeAllocatable } from './node/node-resources.ts'
import { createNodeGrants, nodeTopology, type NodeGrants } from './node-grants.ts'
import { createUpkeep } from './node-upkeep.ts'
import { createObjectSource } from './objects/pod-objects.ts'
import { PluginRegistry, type PluginHandler } from './plugins/plugin-registry.ts'
import type { PodHost } from './pod-worker/pod-host.ts'
import { runtimeHandlerOf } from './pod-worker/runtime-handler.ts'
import { PodWorkers } from './pod-worker/pod-workers.ts'
import type { WorkerContext } from './pod-worker/worker-context.ts'
import { createProbers } from './probes/prober.ts'
import type { KubeletServer } from './server/kubelet-server.ts'
import type { KubeletServerContext } from './server/server-context.ts'
import type { StaticPods, StaticPodsOptions } from './static-pods/static-pods.ts'
import { NodeShutdown } from './shutdown/node-shutdown.ts'
import { ShutdownRecord } from './shutdown/shutdown-record.ts'
import { StatsCollector } from './stats/stats-collector.ts'
import { VolumeMeter } from './stats/volume-meter.ts'
import { createPodCertificates } from './certificates/pod-certificates.ts'
import { createTokenSource } from './volumes/token-source.ts'

/** The agent of one node: registers it and runs the pods that are given to it. */
export interface Kubelet {
  /** Resolves when the node is registered and its pods are taken up. Rejects when the runtime cannot be reached. */
  start(): Promise<void>
  /** The machine goes down: ends pods in order, as configured, and takes no new ones. Resolves when they have ended. */
  shutDown(): Promise<void>
  /** Ends the agent and leaves the pods running, to be taken up by the next start. */
  stop(): Promise<void>
  /** The pods of this node that have a worker, for tests and debugging. */
  readonly workers: PodWorkers | undefined
  /** Port that the server listens on. */
  readonly port: number | undefined
}

export function createKubelet(options: KubeletOptions): Kubelet {
  const stop = new AbortController()
  let running: RunningKubelet | undefined
  return {
    async start() {
      running = await startKubelet(options, stop.signal)
    },
    async shutDown() {
      await running?.shutdown.begin()
    },
    async stop() {
      stop.abort(new Error('the kubelet stops'))
      await running?.server?.close()
      await running?.workers.stop()
      running?.stopObjects()
      running?.csi?.stop()
      await running?.grants?.stop()
      await running?.agent.stop()
      await running?.upkeep
    },
    get workers() {
      return running?.workers
    },
    get port() {
      return running?.server?.port
    },
  }
}

/** What nodes say they run, unless told otherwise. */
const defaultVersion = 'v1.36.2'

interface RunningKubelet {
  readonly workers: PodWorkers
  readonly agent: NodeAgent
  readonly server: KubeletServer | undefined
  readonly upkeep: Promise<void>
  readonly stopObjects: () => void
  readonly csi: CsiService | undefined
  readonly grants: NodeGrants | undefined
  readonly shutdown: NodeShutdown
}

async function startKubelet(given: KubeletOptions, signal: AbortSignal): Promise<RunningKubelet> {
  const metrics = new KubeletMetrics()
  const runtimeCalls = measuredRuntime(given.runtime, { clock: given.clock, metrics })
  const options = { ...given, settings: given.settings ?? defaultSettings, runtime: runtimeCalls }
  const { informers, runtime, nodeName, effects } = options
  const ownPods = informers.of(pods, { fieldSelector: `spec.nodeName=${nodeName}` })
  const ownNode = informers.of(nodes, { fieldSelector: `metadata.name=${nodeName}` })
  const allServices = informers.of(services)
  const classes = informers.of(runtimeClasses)
  const synced = informers.synced(signal)
  synced.catch(() => undefined)
  const [facts, version] = await Promise.all([effects.machine.facts(), runtime.version()])
  const objects = createObjectSource(options)
  const csi = await createCsi({ ...options, metrics }, () => ({ workers, agent }))
  const grants = await createGrants(options, { runtime: version, facts, metrics }, () => ({ workers, agent }))
  const workers: PodWorkers = new PodWorkers({
    ...workerBasics(options, facts, metrics),
    host: guarded(effects.host, csi, grants),
    ...(csi && { csi: csi.volumes }),
    ...(grants && { grants }),
    runtimeName: version.name,
    objects,
    ...knownHandlers(classes, () => agent),
    services: () => allServices.list(),
    node: () => ownNode.get(nodeName) ?? agent.node,
    admittedPods: () => workers.list().flatMap(({ pod, hasEnded }) => (hasEnded ? [] : [pod])),
    isShuttingDown: () => shutdown.hasBegun,
    pressure: () => upkeep.eviction.conditions,
  })
  const shutdown = await createShutdown(options, () => ({ workers, agent }))
  const upkeep = createUpkeep(options, {
    workers,
    metrics,
    node: () => ownNode.get(nodeName) ?? agent.node,
    onChange: () => agent.reportNow(),
  })
  const readMore = (): readonly MetricFamily[] => otherMetrics(effects, [grants, shutdown])
  const server = await startServer(options, { workers, facts, metrics, readMore })
  const description = { ...describe(options, facts), runtime: version, ...(server && { port: server.port }) }
  const agent: NodeAgent = new NodeAgent({
    ...options,
    pressure: () => upkeep.eviction.conditions,
    isShuttingDown: () => shutdown.hasBegun,
    volumesInUse: () => csi?.volumes.inUse ?? [],
    deviceCounts: () => grants?.devices.counts() ?? [],
    description,
  })
  await Promise.all([agent.start(), synced])
  const statics = await startStaticPods(options, { own: ownPods, runner: workers, node: () => agent.node })
  workers.start(ownPods)
  followAttachments(ownNode, () => workers.retryVolumes())
  await csi?.start()
  await grants?.start()
  const background = Promise.all([
    upkeep.run(signal),
    registerPlugins(options, [csi?.plugins, grants?.devices.plugins], signal),
    statics?.run(signal),
    followMachineEnd(options, shutdown, signal),
  ])
  return {
    workers,
    agent,
    server,
    csi,
    grants,
    shutdown,
    upkeep: background.then(() => undefined),
    stopObjects: () => objects.stop(),
  }
}

function knownHandlers(
  classes: Informer<RuntimeClass>,
  agent: () => NodeAgent,
): Pick<WorkerContext, 'runtimeHandler' | 'runtimeHandlers'> {
  return {
    runtimeHandler: (pod) => runtimeHandlerOf(pod, classes),
    runtimeHandlers: () => agent().runtimeHandlers,
  }
}

async function createShutdown(
  options: SettledOptions,
  parts: () => { readonly workers: PodWorkers; readonly agent: NodeAgent },
): Promise<NodeShutdown> {
  const record = new ShutdownRecord(options.effects.rootDir, options.clock)
  await record.load()
  return new NodeShutdown({
    ...options,
    record,
    periods: options.settings.shutdown,
    pods: () => parts().workers.list(),
    node: () => parts().agent.node,
    onChange: () => parts().agent.reportNow(),
  })
}

/** Only a node that is to end its pods in order makes the machine wait. */
async function followMachineEnd(
  { effects }: KubeletOptions,
  shutdown: NodeShutdown,
  signal: AbortSignal,
): Promise<void> {
  if (shutdown.neededMs > 0) await effects.machineEnd?.follow(shutdown, signal)
}

/** Loaded only where manifests are to be looked for. */
async function startStaticPods(
  options: SettledOptions,
  { own, runner, node }: Pick<StaticPodsOptions, 'runner' | 'node'> & { readonly own: Informer<Pod> },
): Promise<StaticPods | undefined> {
  const places = options.settings.staticPods
  if (places.path === '' && places.url === '') return undefined
  const module = await import('./static-pods/static-pods.ts')
  const statics = new module.StaticPods({ ...options, places, runner, node })
  await statics.start(own)
  return statics
}

/** Only a node with a folder takes plugins. */
async function createCsi(
  options: KubeletOptions & { readonly metrics: KubeletMetrics },
  parts: () => { readonly workers: PodWorkers; readonly agent: NodeAgent },
): Promise<CsiService | undefined> {
  const { rootDir } = options.effects
  if (rootDir === undefined) return undefined
  return createCsiService({
    ...options,
    rootDir,
    onUse: () => parts().agent.reportNow(),
    onArrival: () => retryAll(parts().workers),
  })
}

/** A plugin has come: pods that start, that end and that are long gone may have waited for it. */
function retryAll(workers: PodWorkers): void {
  workers.retryVolumes()
  workers.retryOrphans()
}

/** Pods tell how their devices are. */
function pokeAll(workers: PodWorkers): void {
  for (const worker of workers.list()) worker.poke()
}

/** What is counted apart from the kubelet itself. */
function otherMetrics(
  { metrics = [] }: NodeEffects,
  parts: readonly ({ readMetrics(): readonly MetricFamily[] } | undefined)[],
): readonly MetricFamily[] {
  return [...metrics.map((each) => each.read()), ...parts.flatMap((part) => part?.readMetrics() ?? [])]
}

interface GrantInput {
  readonly runtime: RuntimeVersion
  readonly facts: MachineFacts
  readonly metrics: KubeletMetrics
}

/** Only a node with a folder remembers who has what. */
async function createGrants(
  options: SettledOptions,
  { runtime, facts, metrics }: GrantInput,
  parts: () => { readonly workers: PodWorkers; readonly agent: NodeAgent },
): Promise<NodeGrants | undefined> {
  const { rootDir } = options.effects
  if (rootDir === undefined) return undefined
  const topology = await nodeTopology(options, facts)
  const devices = await createNodeDevices({
    ...options,
    ...{ rootDir, runtime },
    numaNodes: topology.nodes.map(({ id }) => id),
    presentPods: () =>
      new Set(
        parts()
          .workers.list()
          .map(({ pod }) => pod.metadata.uid),
      ),
    onChange: () => parts().agent.reportNow(),
    onArrival: () => retryAll(parts().workers),
    onHealth: () => pokeAll(parts().workers),
  })
  const workers = (): PodWorkers => parts().workers
  return createNodeGrants(options, { facts, topology, devices, metrics: metrics.managers, workers })
}

async function registerPlugins(
  { effects, clock, log }: KubeletOptions,
  known: readonly (PluginHandler | undefined)[],
  signal: AbortSignal,
): Promise<void> {
  const handlers = known.filter((handler) => handler !== undefined)
  if (effects.rootDir === undefined || handlers.length === 0) return
  const folder = join(effects.rootDir, 'plugins_registry')
  await new PluginRegistry({ folder, handlers, clock, log }).run(signal)
}

/** What a pod holds is let go of before its folders are cleaned. */
function guarded(host: PodHost, ...guards: readonly ({ guard(host: PodHost): PodHost } | undefined)[]): PodHost {
  return guards.reduce((inner, each) => each?.guard(inner) ?? inner, host)
}

/** Pods wait for the attach controller to list their volumes in the node's status. */
function followAttachments(ownNode: Informer<Node>, onChange: () => void): void {
  ownNode.listen({
    updated(node, before) {
      const attached = (each: Node): string => JSON.stringify(each.status?.volumesAttached ?? [])
      if (attached(node) !== attached(before)) onChange()
    },
  })
}

type ContextBasics = Omit<
  WorkerContext,
  | 'runtimeName'
  | 'objects'
  | 'runtimeHandler'
  | 'runtimeHandlers'
  | 'isShuttingDown'
  | 'services'
  | 'node'
  | 'admittedPods'
  | 'pressure'
  | 'host'
  | 'csi'
  | 'grants'
>

type SettledOptions = KubeletOptions & { readonly settings: KubeletSettings }

function workerBasics(options: SettledOptions, facts: MachineFacts, metrics: KubeletMetrics): ContextBasics {
  const { client, clock, random, log, events, runtime, nodeName, effects, settings } = options
  const allocatable = resourceAmounts(nodeAllocatable(facts, settings))
  return {
    client,
    clock,
    metrics,
    random,
    log,
    events,
    runtime,
    nodeName,
    settings,
    ...(options.reviveRuntime && { reviveRuntime: options.reviveRuntime }),
    nodeFiles: effects.files,
    images: createImageManager({ ...options, ...pullRecords(options) }),
    tokens: createTokenSource(options),
    certificates: createPodCertificates(options),
    probers: createProbers({ ...options, metrics, run: effects.probe }),
    hostIps: options.nodeAddresses,
    allocatable: () => allocatable,
    memoryCapacityBytes: facts.memoryBytes,
    hugePageSizes: [...facts.hugePages.keys()],
    hasAppArmor: facts.hasAppArmor,
    ...(effects.unified && { unified: effects.unified }),
    clusterDns: options.clusterDns,
    clusterDomain: options.clusterDomain,
    seccompDirectory: effects.seccompDirectory,
  }
}

/** Only a node with a folder remembers how images came. */
function pullRecords({ effects: { rootDir }, clock }: SettledOptions): { readonly records?: PullRecords } {
  return rootDir === undefined ? {} : { records: new PullRecords(rootDir, clock) }
}

function describe(options: SettledOptions, facts: MachineFacts): Omit<NodeDescription, 'runtime' | 'port'> {
  return {
    name: options.nodeName,
    addresses: options.nodeAddresses,
    facts,
    kubeletVersion: options.version ?? defaultVersion,
    labels: options.labels ?? {},
    taints: [...(options.taints ?? []), ...options.settings.taints],
    settings: options.settings,
    ...(options.podCidr !== undefined && { podCidr: options.podCidr }),
  }
}

/** The server is loaded only where a node is to be reached. */
async function startServer(
  options: SettledOptions,
  parts: Pick<KubeletServerContext, 'workers' | 'facts' | 'metrics' | 'readMore'>,
): Promise<KubeletServer | undefined> {
  if (options.server === undefined) return undefined
  const { startServers } = await import('./server/start-servers.ts')
  const { host, machine } = options.effects
  return startServers({
    ...options,
    ...options.server,
    ...parts,
    host,
    rootDir: options.effects.rootDir ?? '',
    version: options.version ?? defaultVersion,
    stats: new StatsCollector({ ...options, machine }),
    volumeMeter: new VolumeMeter(options.clock, options.settings.volumeStatsMs),
  })
}
