/**
 * How fast pods start on a node, against the same calls made to the runtime by hand, in one run on one containerd.
 * Needs root. Prints one JSON line for each figure: from POST to Ready, one by one and twenty together.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isPodReady } from '#api/core/v1/pod-facts.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { pods } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import { createClient } from '#client/create-client.ts'
import { httpsTransport } from '#client/https-transport.ts'
import { readKubeconfig } from '#client/kubeconfig.ts'
import type { ContainerConfig } from '#kubelet/cri/container.ts'
import { containerdRuntime } from '#kubelet/cri/containerd-runtime.ts'
import type { ContainerRuntime } from '#kubelet/cri/runtime.ts'
import type { SandboxConfig } from '#kubelet/cri/sandbox.ts'
import { systemClock } from '#lib/clock.ts'
import { startCluster } from '../test/cluster/harness/cluster.ts'
import { median, report, startedThings } from './measure.ts'

const image = 'coracle.test/busybox:1'
const command = ['sleep', '100000']
const alone = 5
const together = 20
const namespaces = { network: 'pod', pid: 'container', ipc: 'pod' } as const

await using things = startedThings()
const cluster = things.use(await startCluster())
await cluster.loadImages()
const transport = httpsTransport({ ...readKubeconfig(cluster.layout.kubeconfig), clock: systemClock })
const client = createClient(transport)
const runtime = await containerdRuntime({ socketPath: cluster.layout.containerd.socket })
const logs = await mkdtemp('/var/tmp/coracle-bench-')

// The first ones pay for what is loaded but once.
await podStartMs(client, 'warm')
await rawStartMs(runtime, 'warm')

const podMs = await oneByOne((name) => podStartMs(client, name))
const rawMs = await oneByOne((name) => rawStartMs(runtime, name))
report('pod start, one by one', { podMs, rawMs, ratio: podMs / rawMs, goalRatio: 1.3 })
const podsPerSecond = await perSecond((name) => podStartMs(client, name))
const rawPerSecond = await perSecond((name) => rawStartMs(runtime, name))
report('pod start, twenty together', { podsPerSecond, rawPerSecond, goalPerSecond: 9.6 })

await Promise.all((await runtime.listSandboxes()).filter(isRaw).map(({ id }) => runtime.removeSandbox(id)))
await runtime.close()
transport.close()
await rm(logs, { recursive: true, force: true })

async function oneByOne(start: (name: string) => Promise<number>): Promise<number> {
  const times: number[] = []
  for (let index = 0; index < alone; index++) times.push(await start(`alone-${index}`))
  return median(times)
}

async function perSecond(start: (name: string) => Promise<number>): Promise<number> {
  const names = Array.from({ length: together }, (_, index) => `together-${index}`)
  const startedMs = performance.now()
  await Promise.all(names.map(start))
  return together / ((performance.now() - startedMs) / 1000)
}

/** From the POST of a pod to the event that says it is ready. */
async function podStartMs(own: Client, name: string): Promise<number> {
  const inDefault = own.resource(pods, 'default')
  const startedMs = performance.now()
  const created = await inDefault.create({
    metadata: { name },
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image, command }] },
  })
  const { resourceVersion } = created.metadata
  for await (const event of inDefault.watch({ resourceVersion, fieldSelector: `metadata.name=${name}` })) {
    if (event.type !== 'BOOKMARK' && isPodReady(event.object as Pod)) break
  }
  return performance.now() - startedMs
}

/** What the kubelet cannot do without: a sandbox, a container in it, its start. */
async function rawStartMs(own: ContainerRuntime, name: string): Promise<number> {
  const logDirectory = join(logs, name)
  await mkdir(logDirectory)
  const startedMs = performance.now()
  const config = sandboxOf(name, logDirectory)
  const sandboxId = await own.runSandbox(config)
  await own.startContainer(await own.createContainer(sandboxId, containerOf(), config))
  return performance.now() - startedMs
}

function isRaw({ metadata }: { readonly metadata: { readonly namespace: string } }): boolean {
  return metadata.namespace === 'bench-raw'
}

function sandboxOf(name: string, logDirectory: string): SandboxConfig {
  return {
    metadata: { name, namespace: 'bench-raw', uid: randomUUID(), attempt: 0 },
    hostname: name,
    logDirectory,
    portMappings: [],
    labels: {},
    annotations: {},
    cgroupParent: join(cluster.layout.cgroupRoot, 'bench-raw'),
    sysctls: {},
    security: {
      namespaces,
      privileged: false,
      supplementalGroups: [],
      hasOnlyAskedGroups: false,
      seccomp: { type: 'RuntimeDefault' },
    },
  }
}

function containerOf(): ContainerConfig {
  return {
    name: 'c',
    attempt: 0,
    image,
    imageRef: image,
    command,
    args: [],
    workingDir: '',
    env: [],
    mounts: [],
    devices: [],
    cdiDevices: [],
    labels: {},
    annotations: {},
    logPath: 'c.log',
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: { cpuShares: 2, cpuPeriod: 0, cpuQuota: 0, memoryLimitBytes: 0, oomScoreAdj: 1000, hugepageLimits: [] },
    security: {
      privileged: false,
      capabilities: { add: [], drop: [] },
      namespaces,
      readOnlyRootFilesystem: false,
      supplementalGroups: [],
      hasOnlyAskedGroups: false,
      noNewPrivileges: false,
      maskedPaths: [],
      readOnlyPaths: [],
      seccomp: { type: 'RuntimeDefault' },
    },
  }
}
