/**
 * Measures the scheduler's decisions without an API server: cycle and cache as they run in the scheduler.
 * Prints one JSON object a line. `node bench/scheduler.ts [plain|defaults|spread|preferred|anti] [nodes]`
 */
import { parseArgs } from 'node:util'
import type { Node, Pod, PodSpec } from '#api/types/core.v1.ts'
import { seededRandom } from '#lib/random.ts'
import { ClusterCache } from '#scheduler/cluster-cache.ts'
import type { ClusterObjects } from '#scheduler/cluster-objects.ts'
import { decide } from '#scheduler/cycle.ts'
import { Explanations } from '#scheduler/explanations.ts'
import { PodInfo } from '#scheduler/pod-info.ts'
import { Rankings } from '#scheduler/rankings.ts'
import { defineProfile } from '#scheduler/profile.ts'

const { positionals } = parseArgs({ allowPositionals: true })
const zones = ['a', 'b', 'c']
const labels = { app: 'web' }
const labelSelector = { matchLabels: labels }
const zone = 'topology.kubernetes.io/zone'
const hostname = 'kubernetes.io/hostname'

function makeNode(index: number): Node {
  const name = `node-${index}`
  const metadata = { name, labels: { [hostname]: name, [zone]: zones[index % zones.length] } }
  return { metadata, spec: {}, status: { allocatable: { cpu: '32', memory: '256Gi', pods: '110' } } } as unknown as Node
}

function makePod(index: number, spec: Partial<PodSpec>, app = 'web'): Pod {
  const name = `${app}-${index}`
  const containers = [{ name: 'c', image: 'web:1', resources: { requests: { cpu: '100m', memory: '128Mi' } } }]
  return {
    metadata: { name, namespace: 'default', uid: name, labels: { app } },
    spec: { containers, ...spec },
  } as unknown as Pod
}

const spreadOver = (topologyKey: string, whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway') => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable,
  labelSelector,
})
const term = { topologyKey: hostname, labelSelector }
const service = { metadata: { name: 'web', namespace: 'default' }, spec: { selector: labels } }

interface Kind {
  readonly spec: Partial<PodSpec>
  readonly services: readonly unknown[]
  /** Most pods that can be placed by the number of nodes; default: all. */
  readonly most?: (nodes: number) => number
}

const kinds: Readonly<Record<string, Kind>> = {
  plain: { spec: {}, services: [] },
  defaults: { spec: {}, services: [service] },
  spread: {
    spec: { topologySpreadConstraints: [spreadOver(zone, 'DoNotSchedule'), spreadOver(hostname, 'ScheduleAnyway')] },
    services: [],
  },
  preferred: {
    spec: {
      topologySpreadConstraints: [spreadOver(zone, 'ScheduleAnyway')],
      affinity: {
        podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] },
      },
    },
    services: [],
  },
  anti: {
    spec: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } },
    services: [],
    most: (nodes) => nodes,
  },
}

function lister<T>(objects: readonly unknown[] = []) {
  return { get: () => undefined, list: () => objects as readonly T[] }
}

function clusterOf(nodes: number, services: readonly unknown[]): ClusterCache {
  const objects: ClusterObjects = {
    namespaces: lister(),
    services: lister(services),
    replicationControllers: lister(),
    replicaSets: lister(),
    statefulSets: lister(),
    budgets: lister(),
    claims: lister(),
    volumes: lister(),
    storageClasses: lister(),
    csiNodes: lister(),
    csiDrivers: lister(),
    csiCapacities: lister(),
    attachments: lister(),
    resourceClaims: lister(),
    resourceSlices: lister(),
    deviceClasses: lister(),
  }
  const cache = new ClusterCache(objects)
  for (let index = 0; index < nodes; index++) cache.setNode(makeNode(index))
  return cache
}

function run(name: string, { spec, services, most }: Kind, nodes: number, placed: number, isWarmUp = false): void {
  const cache = clusterOf(nodes, services)
  for (let index = 0; index < placed; index++)
    cache.placePod(makePod(index, {}, `old-${index % 100}`), `node-${index % nodes}`)
  const profile = defineProfile()
  const random = seededRandom(1)
  const rankings = new Rankings(random)
  const explanations = new Explanations()
  const pods = Array.from({ length: Math.min(4_000, most?.(nodes) ?? Infinity) }, (_, index) => makePod(index, spec))
  let startAt = 0
  let refused = 0
  const startMs = performance.now()
  const startCpu = process.cpuUsage()
  for (const pod of pods) {
    const info = new PodInfo(pod)
    const decision = decide(info, cache, { profile, random, startAt, rankings })
    explanations.record(info, decision, 0)
    if (decision.type === 'reject') {
      refused++
      continue
    }
    startAt = (startAt + decision.evaluated) % nodes
    cache.placePod(info, decision.node.name)
    // The watch confirms the binding with another object.
    cache.placePod(new PodInfo(pod, info), decision.node.name)
  }
  const perSecond = Math.round((pods.length / (performance.now() - startMs)) * 1_000)
  // On a shared machine the time of the process itself says more than the clock.
  const { user, system } = process.cpuUsage(startCpu)
  const perCpuSecond = Math.round((pods.length / (user + system)) * 1_000_000)
  const figures = { bench: `scheduler/${name}`, nodes, placed, pods: pods.length, refused, perSecond, perCpuSecond }
  if (!isWarmUp) process.stdout.write(`${JSON.stringify(figures)}\n`)
}

const [only, count] = positionals
for (const [name, kind] of Object.entries(kinds)) {
  if (only !== undefined && only !== name) continue
  run(name, kind, 500, 0, true)
  for (const nodes of count === undefined ? [1_000, 5_000] : [Number(count)]) {
    run(name, kind, nodes, 0)
    run(name, kind, nodes, 30_000)
  }
}
