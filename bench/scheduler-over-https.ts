/**
 * Pods bound per second end to end: a server in a process of its own, nodes that exist only as objects, pods created
 * over HTTPS on 32 connections by this process, which also watches them being bound. Prints one JSON line, with the
 * processor time that the server took for a pod: that figure holds on a busy machine too.
 * `node bench/scheduler-over-https.ts [plain|spread|anti] [--nodes N] [--pods N] [--placed N]`
 */
import { Agent, request } from 'node:https'
import { parseArgs } from 'node:util'
import { readKubeconfig } from '#client/kubeconfig.ts'
import { startServer } from '../test/cluster/harness/cluster.ts'
import { type Connection, openConnection } from './connections.ts'
import { cpuSeconds, mainThreadSeconds, report, residentBytes } from './measure.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { type: 'string', default: '1000' },
    pods: { type: 'string', default: '2000' },
    placed: { type: 'string', default: '0' },
    storage: { type: 'string', default: 'sqlite' },
  },
})
const kind = positionals[0] ?? 'plain'
const [nodeCount, podCount, placedCount] = [values.nodes, values.pods, values.placed].map(Number) as [
  number,
  number,
  number,
]

await using server = await startServer({ storage: values.storage as 'sqlite' | 'memory' })
const access = readKubeconfig(server.kubeconfig)
const { hostname: host, port } = new URL(access.server)
const tls = { ca: access.ca, cert: access.certificate, key: access.key }
const agent = new Agent({ ...tls, keepAlive: true })

const target = { host, port: Number(port), ...tls }
const connections = await Promise.all(Array.from({ length: 32 }, () => openConnection(target)))

/** Posts so many objects, each connection one after the other. */
async function postAll(count: number, path: string, body: (index: number) => object): Promise<void> {
  let next = 0
  const loop = async (connection: Connection): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      await connection.send({ method: 'POST', path, body: body(index) })
    }
  }
  await Promise.all(connections.map(loop))
}

const zone = 'topology.kubernetes.io/zone'
const hostLabel = 'kubernetes.io/hostname'
const labels = { app: 'web' }
const term = { topologyKey: hostLabel, labelSelector: { matchLabels: labels } }
const spreading = {
  maxSkew: 1,
  topologyKey: zone,
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: term.labelSelector,
}

const specs: Readonly<Record<string, object>> = {
  plain: {},
  spread: {
    topologySpreadConstraints: [spreading],
    affinity: {
      podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] },
    },
  },
  anti: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } },
}

function podOf(name: string, spec: object, app: object): object {
  const containers = [{ name: 'c', image: 'web:1', resources: { requests: { cpu: '100m', memory: '128Mi' } } }]
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: app }, spec: { containers, ...spec } }
}

await postAll(nodeCount, '/api/v1/nodes', (index) => {
  const name = `node-${index}`
  const allocatable = { cpu: '32', memory: '256Gi', pods: '110' }
  const conditions = [{ type: 'Ready', status: 'True' }]
  const metadata = { name, labels: { [hostLabel]: name, [zone]: `zone-${index % 3}` } }
  return { metadata, status: { allocatable, capacity: allocatable, conditions } }
})
const pods = '/api/v1/namespaces/default/pods'
await postAll(placedCount, pods, (index) =>
  podOf(`old-${index}`, { nodeName: `node-${index % nodeCount}` }, { app: `old-${index % 100}` }),
)

/** Resolves when all pods have a node. */
function allBound(): { readonly watching: Promise<void>; readonly bound: Promise<void> } {
  const watching = Promise.withResolvers<void>()
  const bound = Promise.withResolvers<void>()
  let left = podCount
  let rest = ''
  const path = `${pods}?watch=1&labelSelector=app%3Dweb&resourceVersion=0`
  const outgoing = request({ host, port, agent: new Agent(tls), path }, (answer) => {
    watching.resolve()
    answer.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.startsWith('{"type":"MODIFIED"') && line.includes('"nodeName":"')) left--
      if (left <= 0) {
        bound.resolve()
        outgoing.destroy()
      }
    })
  })
  outgoing.on('error', bound.reject)
  outgoing.end()
  return { watching: watching.promise, bound: bound.promise }
}

/** All nodes must have lost the taint that they are born with: a pod for each of a few says so. */
async function untilOpen(): Promise<void> {
  for (;;) {
    const text = await get('/api/v1/nodes?limit=0&resourceVersion=0')
    if (!text.includes('node.kubernetes.io/not-ready')) return
  }
}

function get(path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const outgoing = request({ host, port, agent, path }, (answer) => {
    let body = ''
    answer.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    answer.on('end', () => resolve(body))
  })
  outgoing.on('error', reject)
  outgoing.end()
  return promise
}

await untilOpen()
const { watching, bound } = allBound()
await watching
const cpuBefore = cpuSeconds(server.pid)
const mainBefore = mainThreadSeconds(server.pid)
const startMs = performance.now()
await postAll(podCount, pods, (index) => podOf(`web-${index}`, specs[kind] ?? {}, labels))
const createdMs = performance.now() - startMs
await bound
const boundMs = performance.now() - startMs
const perPodUs = (seconds: number): number => (seconds * 1_000_000) / podCount
report(`pods bound, ${kind}, ${nodeCount} nodes, ${placedCount} pods before`, {
  perSecond: (podCount * 1_000) / boundMs,
  createdMs,
  boundMs,
  serverCpuUs: perPodUs(cpuSeconds(server.pid) - cpuBefore),
  mainThreadUs: perPodUs(mainThreadSeconds(server.pid) - mainBefore),
  residentMiB: residentBytes(server.pid) / 2 ** 20,
})
for (const connection of connections) connection.close()
agent.destroy()
// In order, so that a profile of the server gets written: NODE_OPTIONS='--cpu-prof --cpu-prof-dir=…'.
await server.stop()
