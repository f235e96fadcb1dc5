import { join } from 'node:path'
import type { Client } from '#client/client.ts'
import { createEventRecorder } from '#client/event-recorder.ts'
import type { Informer, Informers } from '#client/informer.ts'
import { RequestMetrics } from '#client/request-metrics.ts'
import { pacedClient } from '#client/paced-client.ts'
import { createInformers, type remoteInformerSettings } from '#client/informers.ts'
import { isNodeReady } from '#api/core/v1/node-facts.ts'
import type { Node } from '#api/types/core.v1.ts'
import { nodes, pods } from '#api/types/resources.ts'
import { ensureContainerd } from '#host/containerd.ts'
import { sysctlRecord, type HostLayout } from '#host/layout.ts'
import { detectMachine, type Machine } from '#host/machine.ts'
import { pauseImageReference, writePauseImage } from '#host/pause-image.ts'
import { cniBinaryDir } from '#host/prerequisites.ts'
import { applySysctls } from '#host/sysctls.ts'
import { defaultSettings, type KubeletSettings } from '#kubelet/configuration/kubelet-settings.ts'
import { containerdRuntime } from '#kubelet/cri/containerd-runtime.ts'
import type { KubeletOptions } from '#kubelet/kubelet-options.ts'
import { createKubelet, type Kubelet } from '#kubelet/kubelet.ts'
import type { MachineEnd } from '#kubelet/shutdown/machine-end.ts'
import { linuxNode } from '#kubelet/linux-node.ts'
import { runCommand } from '#lib/command.ts'
import type { PaceSettings } from '#lib/pace.ts'
import { collectAfterBursts } from './collect-after-bursts.ts'
import { nodeLog, type Effects } from './effects.ts'
import { kubeletServer, type NodeKeys } from './node-server.ts'
import { nodeCredentials, type CredentialProviderFiles } from './node-credentials.ts'
import { listenFailure } from './listen-failure.ts'
import { startDns, startProxy, startRoutes, writePodNetwork, type NodeNetworkOptions } from './node-network.ts'
import { ranges } from './ranges.ts'

export interface NodeOptions {
  /** Acts as the node's kubelet. */
  readonly client: Client
  /** Acts as the service proxy and the cluster's name server; the same client serves both where the node has but one. */
  readonly networkClient: Client
  /** Where the API server is, as metrics name it; absent: in this process. */
  readonly server?: string
  /** For a server across a network; none in this process. */
  readonly informerSettings?: typeof remoteInformerSettings
  readonly keys: NodeKeys
  readonly nodeName: string
  readonly address: string
  readonly layout: HostLayout
  /** What the kubelet's configuration file says; absent: there is none. */
  readonly settings?: KubeletSettings
  /** Programs that know credentials of registries; absent: there are none. */
  readonly credentialProviders?: CredentialProviderFiles
  readonly effects: Effects
}

export interface RunningNode {
  /** Resolves when the node reports that it is ready. */
  readonly ready: Promise<void>
  /** The machine goes down: ends pods in the order that the kubelet's configuration gives. */
  shutDown(): Promise<void>
  /** Ends kubelet, proxy and name server; containers, rules and routes stay. */
  stop(): Promise<void>
}

/** Starts or adopts the cluster's containerd, with the image that every sandbox needs. */
export async function prepareContainerd(layout: HostLayout, machine: Machine, effects: Effects): Promise<void> {
  const pluginDir = cniBinaryDir()
  if (pluginDir === undefined) throw new Error('The CNI plugins are missing: install containernetworking-plugins')
  await applySysctls(sysctlRecord(layout))
  const restrictOomScore = !machine.canLowerOomScore
  await ensureContainerd(
    { layout, cniBinaryDir: pluginDir, pauseImage: pauseImageReference, restrictOomScore },
    effects.clock,
  )
  await importPauseImage(layout)
}

async function importPauseImage({ dataDir, containerd }: HostLayout): Promise<void> {
  const ctr = ['--address', containerd.socket, '--namespace', 'k8s.io', 'images']
  const present = await runCommand('ctr', [...ctr, 'list', '--quiet', `name==${pauseImageReference}`])
  if (present.stdout.includes(pauseImageReference)) return
  const archive = join(dataDir, 'pause.tar')
  await writePauseImage(archive)
  await runCommand('ctr', [...ctr, 'import', archive])
}

/** Again and again until nothing more is found, and into as few pages as can be. */
const thorough = { type: 'major', execution: 'sync', flavor: 'last-resort' } as const

/** Runs a node in this process, over a containerd that already answers. */
export async function startNode(given: NodeOptions): Promise<RunningNode> {
  const { clock, random, log } = given.effects
  const host = given.server === undefined ? 'in-process' : new URL(given.server).host
  const requests = new RequestMetrics({ host, clock })
  const client = given.client.observed(requests.observe)
  const options = {
    ...given,
    client,
    networkClient: given.networkClient === given.client ? client : given.networkClient,
  }
  const informerLog = log.with({ component: 'node-informers' })
  const informersOf = (client: Client): Informers =>
    createInformers({ client, clock, random, log: informerLog, ...options.informerSettings })
  const { networkClient } = options
  const informers = informersOf(options.client)
  const networkInformers = networkClient === options.client ? informers : informersOf(networkClient)
  const events = createEventRecorder({
    client: options.client,
    clock,
    log,
    component: 'kubelet',
    host: options.nodeName,
    ...eventPace(options),
  })
  const { layout } = options
  const stop = new AbortController()
  const kubelet = await createNodeKubelet(options, { informers, events, requests, stopped: stop.signal })
  await kubelet.start().catch((error: unknown) => {
    throw listenFailure(error, `${options.address}:${ranges.kubeletPort}`, 'kubelet')
  })
  const ownNode = informers.of(nodes, { fieldSelector: `metadata.name=${options.nodeName}` })
  const podCidr = await firstMatch(ownNode, (node) => node.spec.podCIDR)
  await writePodNetwork(layout, podCidr)
  const network: NodeNetworkOptions = { ...options, informers: networkInformers, podInformers: informers, podCidr }
  const proxy = startProxy(network)
  const routes = startRoutes(network)
  const dns = await startDns(network).catch((error: unknown) => {
    throw listenFailure(error, `${options.address}:${ranges.dnsPort}`, 'cluster DNS')
  })
  const ownPods = informers.of(pods, { fieldSelector: `spec.nodeName=${options.nodeName}` })
  // There only where the launcher asked Node for it: in a process that is a node and nothing else.
  const stopCollecting = collectAfterBursts(ownPods, clock, () => globalThis.gc?.(thorough))
  return {
    ready: Promise.all([
      proxy.ready,
      routes.ready,
      firstMatch(ownNode, (node) => (isNodeReady(node) ? true : undefined)),
    ]).then(() => undefined),
    shutDown: () => kubelet.shutDown(),
    async stop() {
      stop.abort(new Error('the node stops'))
      stopCollecting()
      proxy.stop()
      routes.stop()
      await dns.close()
      await kubelet.stop()
      await events.stop()
      await Promise.all([...new Set([informers, networkInformers])].map((each) => each.stop()))
    },
  }
}

interface KubeletParts extends Pick<KubeletOptions, 'informers' | 'events'> {
  readonly requests: RequestMetrics
  /** Aborts when the node stops. */
  readonly stopped: AbortSignal
}

async function createNodeKubelet(
  options: NodeOptions,
  { informers, events, requests, stopped }: KubeletParts,
): Promise<Kubelet> {
  const { layout, settings } = options
  const { clock, random } = options.effects
  const given = (settings ?? defaultSettings).configuration
  const log = nodeLog(options.effects, given.logging)
  const runtime = await containerdRuntime({
    socketPath: layout.containerd.socket,
    timeoutMs: given.runtimeRequestTimeout,
  })
  const end = machineEnd(options)
  const directories = {
    rootDir: layout.kubeletDir,
    logsDir: given.podLogsDir || layout.podLogDir,
    logLinksDir: layout.containerLogDir,
    cgroupRoot: layout.cgroupRoot,
  }
  const calls = paceOf(given.kubeAPIQPS, given.kubeAPIBurst ?? 100)
  const node = await linuxNode({
    ...directories,
    runtime,
    clock,
    ...(settings && { settings }),
    ...(end && { machineEnd: end }),
  })
  return createKubelet({
    client: calls ? pacedClient(options.client, clock, calls) : options.client,
    informers,
    clock,
    random,
    log: log.with({ component: 'kubelet' }),
    events,
    runtime,
    reviveRuntime: () => prepareContainerd(layout, detectMachine(), options.effects),
    nodeName: options.nodeName,
    nodeAddresses: [options.address],
    clusterDns: given.clusterDNS ?? [ranges.dnsService],
    clusterDomain: given.clusterDomain ?? ranges.clusterDomain,
    ...(settings && { settings }),
    ...(given.enableServer && { server: await kubeletServer(options, stopped) }),
    credentials: await nodeCredentials(options),
    keptImages: [pauseImageReference],
    effects: { ...node, metrics: [...(node.metrics ?? []), ...requests.families] },
  })
}

/** Zero and nothing: no limit. */
function paceOf(perSecond: number | undefined, burst: number): PaceSettings | undefined {
  return perSecond ? { perSecond, burst } : undefined
}

function eventPace({ settings }: NodeOptions): { readonly pace?: PaceSettings } {
  const { eventRecordQPS, eventBurst = 100 } = settings?.configuration ?? {}
  if (eventRecordQPS === 0) return { pace: { perSecond: Infinity, burst: Infinity } }
  const pace = paceOf(eventRecordQPS, eventBurst)
  return pace === undefined ? {} : { pace }
}

/** The first answer that is not undefined, for a node as it is or as it becomes. */
function firstMatch<Answer>(informer: Informer<Node>, look: (node: Node) => Answer | undefined): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>()
  const check = (node: Node): void => {
    const answer = look(node)
    if (answer !== undefined) resolve(answer)
  }
  const remove = informer.listen({ added: check, updated: check })
  return promise.finally(remove)
}

/** Asks for the system bus only where the pods are to be ended in order; loaded only then, too. */
function machineEnd({ layout, settings, effects }: NodeOptions): MachineEnd | undefined {
  if (settings === undefined || settings.shutdown.length === 0) return undefined
  return {
    async follow(subject, signal) {
      const { logindEnd } = await import('#kubelet/shutdown/logind-end.ts')
      const busAddress = process.env['DBUS_SYSTEM_BUS_ADDRESS'] ?? 'unix:path=/run/dbus/system_bus_socket'
      const log = effects.log.with({ component: 'kubelet' })
      await logindEnd({ clock: effects.clock, log, busAddress, dropIn: layout.logindDropIn }).follow(subject, signal)
    },
  }
}
