import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request as plainRequest, type Server } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { issueCertificate, issueSelfSigned, type KeyPair } from '#lib/x509/certificate.ts'
import type { ContainerRuntime, ContainerStats } from '../cri/runtime.ts'
import { KubeletMetrics } from '../metrics/kubelet-metrics.ts'
import type { PodWorker } from '../pod-worker/pod-worker.ts'
import type { PodWorkers } from '../pod-worker/pod-workers.ts'
import { simulatedNode } from '../simulated/simulated-node.ts'
import { StatsCollector } from '../stats/stats-collector.ts'
import { VolumeMeter } from '../stats/volume-meter.ts'
import type { KubeletAccess } from './kubelet-access.ts'
import { startKubeletServer, type KubeletServer } from './kubelet-server.ts'
import type { KubeletServerContext } from './server-context.ts'
import { answerOpenly } from './read-only-server.ts'
import { listenPlainly } from './plain-server.ts'
import { startServers } from './start-servers.ts'
import { fixedCertificate } from './serving-certificate.ts'
import { defaultSettings, settingsOf } from '../configuration/kubelet-settings.ts'

const dayMs = 86_400_000

function certificate(commonName: string, organizations: readonly string[], issuer?: KeyPair): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const nowMs = systemClock.now()
  const common = {
    subject: { commonName, organizations },
    publicKey,
    notBeforeMs: nowMs - dayMs,
    notAfterMs: nowMs + dayMs,
    serial: randomBytes(16),
    ipAddresses: ['127.0.0.1'],
  }
  if (issuer === undefined) {
    return {
      key,
      certificate: issueSelfSigned({ ...common, isCa: true, keyUsages: ['certSign', 'digitalSignature'] }, privateKey),
    }
  }
  const leaf = {
    ...common,
    keyUsages: ['digitalSignature'] as const,
    extendedKeyUsages: ['serverAuth', 'clientAuth'] as const,
  }
  return { key, certificate: issueCertificate(leaf, issuer) }
}

const ca = certificate('ca', [])
const running = { id: 'id-c', sandboxId: 's', name: 'c', state: 'running', image: 'app:1', startedAtMs: 1000 }
const worker = {
  pod: { metadata: { name: 'p', namespace: 'ns', uid: 'u' }, spec: { containers: [{ name: 'c' }] } },
  status: undefined,
  view: { containers: [running], sandboxes: [{ id: 's', ready: true }] },
  volumes: new Map([
    [
      'data',
      {
        hostPath: '/d',
        claim: { name: 'pvc', namespace: 'ns' },
        usage: async () => ({ capacityBytes: 9, usedBytes: 4 }),
      },
    ],
    ['mute', { hostPath: '/m', usage: () => Promise.reject(new Error('no answer')) }],
  ]),
} as unknown as PodWorker
const workers = {
  find: (_namespace: string, name: string) => (name === 'p' ? worker : undefined),
  list: () => [worker],
}

const stats: ContainerStats = {
  id: 'id-c',
  labels: { 'io.kubernetes.pod.uid': 'u', 'io.kubernetes.container.name': 'c' },
  timestampMs: 5000,
  cpuUsageNanoseconds: 2.5e9,
  cpuUsageNanoCores: 0,
  memoryWorkingSetBytes: 4096,
  memoryUsageBytes: 8192,
  memoryRssBytes: 2048,
  pageFaults: 1,
  majorPageFaults: 0,
  writableLayerBytes: 512,
  writableLayerInodes: 3,
}

const asked: KubeletAccess[] = []
let context: KubeletServerContext
let server: KubeletServer
let streaming: Server

before(async () => {
  // Stands for the runtime's streaming server: says who asked, then echoes.
  streaming = createServer()
  streaming.on('upgrade', (incoming, socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n${incoming.method} ${incoming.url};`,
    )
    socket.pipe(socket)
  })
  streaming.listen(0, '127.0.0.1')
  await once(streaming, 'listening')
  const url = `http://127.0.0.1:${(streaming.address() as AddressInfo).port}/exec/token`
  const serving = certificate('node', [], ca)
  const runtime = {
    exec: async () => url,
    imageFileSystem: async () => undefined,
    containerStats: async () => [stats],
    sandboxStats: async () => [],
  } as unknown as ContainerRuntime
  context = {
    port: 0,
    address: '127.0.0.1',
    serving: fixedCertificate(serving),
    clientCa: ca.certificate,
    authorize: async (access) => {
      asked.push(access)
      if (access.user.name === 'broken') throw new Error('no answer')
      return access.user.name === 'allowed'
    },
    clock: systemClock,
    log: silentLog,
    runtime,
    workers: workers as unknown as PodWorkers,
    nodeName: 'n',
    version: 'v1.36.2',
    facts: await simulatedNode().machine.facts(),
    host: simulatedNode().host,
    metrics: new KubeletMetrics(),
    stats: new StatsCollector({ clock: systemClock, machine: simulatedNode().machine, runtime }),
    clusterDns: [],
    settings: defaultSettings,
    rootDir: '/nowhere',
    readMore: () => [],
    volumeMeter: new VolumeMeter(systemClock, 0),
    clusterDomain: 'cluster.local',
  }
  server = await startKubeletServer(context)
})

after(async () => {
  await server.close()
  streaming.close()
})

interface Answer {
  readonly status: number
  readonly body: string
}

async function ask(path: string, client?: KeyPair, port = server.port): Promise<Answer> {
  const identity = client && { cert: client.certificate, key: client.key }
  const sent = request({
    host: '127.0.0.1',
    port,
    path,
    ca: ca.certificate,
    agent: false,
    ...identity,
  }).end()
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  const chunks = await response.toArray()
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }
}

test('only the cluster’s own clients get in, and only those that may', async () => {
  const stranger = certificate('kube-apiserver-kubelet-client', ['system:masters'], certificate('other ca', []))
  const cases: readonly [string, KeyPair | undefined, number][] = [
    ['nobody', undefined, 401],
    ['a certificate of another authority', stranger, 401],
    ['the API server', certificate('kube-apiserver-kubelet-client', [], ca), 200],
    ['an administrator', certificate('root', ['system:masters'], ca), 200],
    ['somebody who is allowed', certificate('allowed', [], ca), 200],
    ['somebody who is not', certificate('other', [], ca), 403],
    ['somebody nobody can judge', certificate('broken', [], ca), 403],
  ]
  for (const [who, client, status] of cases) assert.equal((await ask('/healthz', client)).status, status, who)
  assert.deepEqual(asked.at(-1)?.user, { name: 'broken', groups: ['system:authenticated'] })
})

test('a node can be told to let everybody in', async (t) => {
  const configuration = { authentication: { anonymous: { enabled: true } }, authorization: { mode: 'AlwaysAllow' } }
  const settings = settingsOf({ ...configuration, healthzPort: 0 })
  const open = await startServers({ ...context, settings })
  t.after(() => open.close())
  assert.deepEqual(await ask('/healthz', undefined, open.port), { status: 200, body: 'ok' })
})

test('everybody may read on the port for that, and only read', async (t) => {
  const open = await listenPlainly({ address: '127.0.0.1', port: 0 }, (incoming, response) => {
    void answerOpenly(context, incoming, response)
  })
  t.after(() => open.close())
  const read = async (path: string): Promise<string> => {
    const sent = plainRequest({ host: '127.0.0.1', port: open.port, path, agent: false }).end()
    const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
    return `${response.statusCode} ${Buffer.concat(await response.toArray()).toString()}`
  }
  assert.equal(await read('/healthz'), '200 ok')
  assert.match(await read('/pods'), /^200 {"kind":"PodList"/)
  assert.match(await read('/metrics'), /kubelet_node_name{node="n"} 1/)
  assert.equal(await read('/configz'), '404 404 page not found')
  assert.equal(await read('/containerLogs/ns/p/c'), '405 Debug endpoints are disabled.')
})

test('health has a port of its own, and a node works without', async (t) => {
  const taken = await listenPlainly({ address: '127.0.0.1', port: 0 }, () => undefined)
  const { port } = taken
  const settings = settingsOf({ healthzPort: port })
  const first = await startServers({ ...context, settings })
  await taken.close()
  const second = await startServers({ ...context, settings })
  t.after(() => Promise.all([first.close(), second.close()]))
  const sent = plainRequest({ host: '127.0.0.1', port, path: '/healthz', agent: false }).end()
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  assert.equal(response.statusCode, 200)
  response.resume()
})

test('what is not there is said in plain text', async () => {
  const client = certificate('root', ['system:masters'], ca)
  assert.deepEqual(await ask('/containerLogs/ns/none/c', client), { status: 404, body: 'pod does not exist' })
  assert.deepEqual(await ask('/containerLogs/ns/p/x', client), {
    status: 404,
    body: 'container x is not valid for pod p',
  })
  assert.deepEqual(await ask('/nowhere', client), { status: 404, body: '404 page not found' })
  assert.equal((await ask('/exec/ns/p/c?command=ls&output=1', client)).status, 400)
})

test('exec joins the caller with the runtime’s stream', async () => {
  const client = certificate('root', ['system:masters'], ca)
  const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', authorization: 'secret' }
  const path = '/exec/ns/p/c?command=cat&input=1&output=1'
  const identity = { cert: client.certificate, key: client.key, ca: ca.certificate }
  const sent = request({
    host: '127.0.0.1',
    port: server.port,
    method: 'POST',
    path,
    headers,
    agent: false,
    ...identity,
  }).end()
  const [response, socket, head] = (await once(sent, 'upgrade')) as [
    import('node:http').IncomingMessage,
    import('node:net').Socket,
    Buffer,
  ]
  assert.equal(response.headers.upgrade, 'SPDY/3.1')
  socket.write('hello')
  let text = head.toString()
  for await (const chunk of socket) {
    text += String(chunk)
    if (text.endsWith('hello')) break
  }
  assert.equal(text, 'POST /exec/token;hello')
})

test('metrics have the names that dashboards and metrics-server ask for', async () => {
  const client = certificate('root', ['system:masters'], ca)
  const page = async (path: string): Promise<string> => (await ask(path, client)).body
  const resource = await page('/metrics/resource')
  const labels = '{container="c",namespace="ns",pod="p"}'
  assert.match(resource, new RegExp(`^container_cpu_usage_seconds_total\\${labels} 2.5 5000$`, 'm'))
  assert.match(resource, new RegExp(`^container_memory_working_set_bytes\\${labels} 4096 5000$`, 'm'))
  assert.match(resource, new RegExp(`^container_start_time_seconds\\${labels} 1$`, 'm'))
  assert.match(resource, /^node_cpu_usage_seconds_total 0 \d+$/m)
  const cadvisor = await page('/metrics/cadvisor')
  assert.match(
    cadvisor,
    /^container_memory_rss{container="c",id="id-c",image="app:1",name="id-c",namespace="ns",pod="p"} 2048$/m,
  )
  assert.match(cadvisor, /^machine_cpu_cores 32$/m)
  const own = await page('/metrics')
  assert.match(own, /^kubelet_node_name{node="n"} 1$/m)
  assert.match(own, /^kubelet_volume_stats_used_bytes{namespace="ns",persistentvolumeclaim="pvc"} 4$/m)
  assert.match(own, /^kubelet_running_containers{container_state="running"} 1$/m)
  assert.equal((await ask('/metrics/probes', client)).status, 200)
})

test('the summary and the configuration', async () => {
  const client = certificate('root', ['system:masters'], ca)
  const summary = JSON.parse((await ask('/stats/summary', client)).body) as {
    readonly pods: readonly {
      readonly containers: readonly { readonly rootfs: object; readonly memory: object }[]
      readonly volume: readonly { readonly name: string }[]
    }[]
  }
  const [container] = summary.pods[0]?.containers ?? []
  const volume = summary.pods[0]?.volume.find(({ name }) => name === 'data')
  assert.deepEqual(
    { ...volume, time: '' },
    {
      ...{ time: '', name: 'data', capacityBytes: 9, usedBytes: 4, pvcRef: { name: 'pvc', namespace: 'ns' } },
    },
  )
  assert.deepEqual(container?.memory, {
    time: '1970-01-01T00:00:05Z',
    usageBytes: 8192,
    workingSetBytes: 4096,
    rssBytes: 2048,
    pageFaults: 1,
    majorPageFaults: 0,
  })
  assert.deepEqual(container?.rootfs, { time: '1970-01-01T00:00:05Z', usedBytes: 512, inodesUsed: 3 })
  const { kubeletconfig } = JSON.parse((await ask('/configz', client)).body) as {
    readonly kubeletconfig: { readonly evictionHard: object }
  }
  assert.deepEqual(Object.entries(kubeletconfig.evictionHard)[0], ['memory.available', '100Mi'])
})
