/**
 * Request rates of the API server over HTTPS with SQLite storage, the client in a process of its own (this one) on 32
 * keep-alive connections. Prints one JSON line for each kind of request, beside the figure of v1.36.2 measured on the
 * same kind of machine, with the processor time that the server took for it: that figure holds on a busy machine too.
 * `--seconds N` for each (default 5), `--pods N` stored for the lists (default 3000), `--only TEXT` measures the kinds
 * of request whose name has the text in it.
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { load } from 'js-yaml'
import { startServer } from '../test/cluster/harness/cluster.ts'
import { cpuSeconds, mainThreadSeconds, report, residentBytes } from './measure.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    pods: { type: 'string', default: '3000' },
    only: { type: 'string', default: '' },
  },
})
const limitMs = Number(values.seconds) * 1_000
const podCount = Number(values.pods)

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[]
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[]
}

await using server = await startServer({ storage: 'sqlite' })
const config = load(readFileSync(server.kubeconfig, 'utf8')) as Kubeconfig
const decode = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64')
const address = new URL(config.clusters[0]?.cluster['server'] ?? '')
const tls = {
  ca: decode(config.clusters[0]?.cluster['certificate-authority-data']),
  cert: decode(config.users[0]?.user['client-certificate-data']),
  key: decode(config.users[0]?.user['client-key-data']),
}
const agent = new Agent({ ...tls, keepAlive: true, maxSockets: 32 })

interface Call {
  readonly method: string
  readonly path: string
  readonly body?: object
  readonly type?: string
}

function send({ method, path, body, type = 'application/json' }: Call): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const text = body === undefined ? undefined : JSON.stringify(body)
  const headers = text === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(text) }
  const outgoing = request({ host: address.hostname, port: address.port, agent, method, path, headers }, (answer) => {
    let bytes = 0
    answer.on('data', (chunk: Buffer) => (bytes += chunk.length))
    answer.on('end', () => {
      if ((answer.statusCode ?? 500) < 400) resolve(bytes)
      else reject(new Error(`${method} ${path}: ${answer.statusCode}`))
    })
  })
  outgoing.on('error', reject)
  outgoing.end(text)
  return promise
}

/** Sends what `next` gives from `connections` loops, until it gives nothing or the time is over. */
async function rate(
  what: string,
  next: (index: number) => Call | undefined,
  upstream: number,
  connections = 32,
): Promise<void> {
  if (!what.includes(values.only)) return
  const latenciesMs: number[] = []
  let index = 0
  const cpuBefore = cpuSeconds(server.pid)
  const mainBefore = mainThreadSeconds(server.pid)
  const startMs = performance.now()
  const loop = async (): Promise<void> => {
    for (;;) {
      const sentMs = performance.now()
      const call = sentMs - startMs > limitMs ? undefined : next(index++)
      if (!call) return
      await send(call)
      latenciesMs.push(performance.now() - sentMs)
    }
  }
  await Promise.all(Array.from({ length: connections }, loop))
  const perSecond = (latenciesMs.length * 1_000) / (performance.now() - startMs)
  const perRequestUs = (seconds: number): number => (seconds * 1_000_000) / latenciesMs.length
  const serverCpuUs = perRequestUs(cpuSeconds(server.pid) - cpuBefore)
  const mainThreadUs = perRequestUs(mainThreadSeconds(server.pid) - mainBefore)
  latenciesMs.sort((a, b) => a - b)
  const at = (share: number): number => latenciesMs[Math.floor(latenciesMs.length * share)] ?? Number.NaN
  report(what, {
    perSecond,
    upstream,
    ratio: perSecond / upstream,
    serverCpuUs,
    mainThreadUs,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    residentMiB: residentBytes(server.pid) / 2 ** 20,
  })
}

const pods = '/api/v1/namespaces/default/pods'
const container = { name: 'c', image: 'example.test/app:1', env: [{ name: 'A', value: 'x'.repeat(200) }] }

function pod(index: number): object {
  const labels = { app: `app-${index % 50}` }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p-${index}`, labels },
    spec: { nodeName: 'n', containers: [container] },
  }
}

// Pods of a node that is not there would be removed as orphans, and those of a silent one changed.
await send({
  method: 'POST',
  path: '/api/v1/nodes',
  body: { metadata: { name: 'n' }, status: { conditions: [{ type: 'Ready', status: 'True' }] } },
})
const renewLease = (): Promise<number> => {
  const path = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n?fieldManager=bench&force=true'
  const spec = {
    holderIdentity: 'n',
    leaseDurationSeconds: 40,
    renewTime: `${new Date().toISOString().slice(0, -1)}000Z`,
  }
  const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'n' }, spec }
  return send({ method: 'PATCH', path, body, type: 'application/apply-patch+yaml' })
}
await renewLease()
const heartbeat = setInterval(() => void renewLease().catch(() => undefined), 10_000)

let created = 0
await rate('create pods', () => ({ method: 'POST', path: pods, body: pod(created++) }), 539)
// Bring the store to the number of pods that the lists are measured with, and some for the deletions.
await fill(podCount + ('delete pods'.includes(values.only) ? 3_000 * Number(values.seconds) : 0))
await rate(
  'delete pods',
  () => {
    if (created <= podCount) return undefined
    created--
    return { method: 'DELETE', path: `${pods}/p-${created}?gracePeriodSeconds=0` }
  },
  353,
)
await rate('get pod', (index) => ({ method: 'GET', path: `${pods}/p-${index % podCount}` }), 1_338)
await rate(
  'patch pod status',
  (index) => {
    const body = {
      status: { message: `m${index}`, conditions: [{ type: 'Ready', status: index % 2 === 0 ? 'True' : 'False' }] },
    }
    return {
      method: 'PATCH',
      path: `${pods}/p-${index % podCount}/status`,
      body,
      type: 'application/strategic-merge-patch+json',
    }
  },
  358,
)
await rate(
  'apply config maps',
  (index) => {
    const name = `c-${index % 200}`
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value: String(index) } }
    const path = `/api/v1/namespaces/default/configmaps/${name}?fieldManager=bench&force=true`
    return { method: 'PATCH', path, body, type: 'application/apply-patch+yaml' }
  },
  812,
)
await rate(`list ${podCount} pods, 4 clients`, () => ({ method: 'GET', path: pods }), 6, 4)
await rate(
  'list pods by label',
  (index) => ({ method: 'GET', path: `${pods}?labelSelector=app%3Dapp-${index % 50}&resourceVersion=0` }),
  63,
)
if ('events to 100 watchers'.includes(values.only)) await watchFanOut(100, 200)
report('resident memory of the server', { MiB: residentBytes(server.pid) / 2 ** 20, pods: podCount })
clearInterval(heartbeat)
agent.destroy()
// In order, so that a profile of the server gets written: NODE_OPTIONS='--cpu-prof --cpu-prof-dir=…'.
await server.stop()

async function fill(count: number): Promise<void> {
  const loop = async (): Promise<void> => {
    while (created < count) await send({ method: 'POST', path: pods, body: pod(created++) })
  }
  await Promise.all(Array.from({ length: 32 }, loop))
}

async function watchFanOut(watchers: number, changes: number): Promise<void> {
  let events = 0
  const wide = new Agent({ ...tls, keepAlive: true })
  const open = Array.from({ length: watchers }, () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const path = '/api/v1/namespaces/default/configmaps?watch=1'
    const outgoing = request({ host: address.hostname, port: address.port, agent: wide, path }, (answer) => {
      answer.on('data', (chunk: Buffer) => {
        for (const byte of chunk) if (byte === 10) events++
      })
      resolve()
    })
    outgoing.on('error', () => undefined)
    outgoing.end()
    return promise
  })
  await Promise.all(open)
  while (await stillGrowing(() => events)) continue
  events = 0
  const startMs = performance.now()
  const body = (index: number): object => ({ data: { value: `w${index}` } })
  const change = (index: number): Call => ({
    method: 'PATCH',
    path: `/api/v1/namespaces/default/configmaps/c-${index % 200}`,
    body: body(index),
    type: 'application/merge-patch+json',
  })
  await Promise.all(Array.from({ length: changes }, (_, index) => send(change(index))))
  while (events < watchers * changes && performance.now() - startMs < 60_000) await sleep(1)
  const perSecond = (events * 1_000) / (performance.now() - startMs)
  report(`events to ${watchers} watchers`, { perSecond, upstream: 9_300, ratio: perSecond / 9_300, events })
  wide.destroy()
}

/** Whether a count still changes: the initial events are through when it does not. */
async function stillGrowing(count: () => number): Promise<boolean> {
  const before = count()
  await sleep(300)
  return count() !== before
}
