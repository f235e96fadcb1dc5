/**
 * Goal: whoever talks to a running container is understood. Method: real containers, and kubectl over WebSocket and SPDY,
 * `@kubernetes/client-node`, Debian's Python client, and channels by hand.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, test } from 'node:test'
import { Exec, KubeConfig, PortForward, type V1Status } from '@kubernetes/client-node'
import { WebSocket, WebSocketServer } from 'ws'
import { startCluster, type Cluster } from './harness/cluster.ts'
import { podManifest } from './harness/manifests.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { outputOf } from './harness/run-program.ts'
import { openShell, type Shell } from './harness/shell.ts'

let cluster: Cluster
let shell: Shell
const config = new KubeConfig()

/** Says what it reads. */
const talker = {
  command: ['sh', '-c', 'while read line; do echo "got $line"; done; sleep 3600'],
  stdin: true,
}

before(async () => {
  if (skip !== false) return
  cluster = await startCluster()
  await cluster.loadImages()
  config.loadFromFile(cluster.layout.kubeconfig)
  const { kubectl } = cluster
  const web = podManifest('web', {
    image: 'coracle.test/nginx:1',
    command: undefined,
    ports: [{ name: 'http', containerPort: 80 }],
  })
  const ports = [{ name: 'http', port: 8080, targetPort: 'http' }]
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports },
  }
  for (const object of [podManifest('talker', talker), web, service]) await kubectl.apply(object)
  await kubectl.output('wait', 'pod/talker', 'pod/web', '--for=condition=Ready', '--timeout=60s')
  shell = await openShell(cluster.layout.kubeconfig, 'tools')
  await shell.expect(['kubectl config set-context --current --namespace default', /modified/])
})

after(async () => {
  if (skip === false) await cluster[Symbol.asyncDispose]()
})

/** Starts a port-forward, asks through it, and ends it. */
const forwarded = (target: string, request: string): string =>
  `(kubectl port-forward ${target} >forward 2>&1 & echo $! >pid) && until grep -q Forwarding forward; do sleep 0.05; done; ` +
  `${request} http://$(sed -n '1s/.*from \\([0-9.:]*\\) .*/\\1/p' forward)/; sleep 0.2; kill $(cat pid) 2>/dev/null; cat forward`

for (const [name, sockets] of [
  ['WebSocket', 'true'],
  ['SPDY', 'false'],
] as const) {
  const use = `export KUBECTL_REMOTE_COMMAND_WEBSOCKETS=${sockets} KUBECTL_PORT_FORWARD_WEBSOCKETS=${sockets};`

  test(`kubectl exec over ${name}: streams, exit codes, errors`, { skip }, () =>
    shell.expect(
      [
        `${use} kubectl exec talker -- sh -c 'echo out; echo err >&2; exit 3' >o 2>e; echo $?; cat o e`,
        /^3\nout\nerr\ncommand terminated with exit code 3\n$/,
      ],
      [`${use} echo hello | kubectl exec -i talker -- cat`, 'hello'],
      [`${use} head -c 5000000 /dev/zero | kubectl exec -i talker -- sh -c 'wc -c; echo end'`, '5000000\nend'],
      [`${use} kubectl exec talker -- head -c 5000000 /dev/zero | wc -c`, '5000000'],
      [`${use} kubectl exec talker -- none`, /executable file not found/, 1],
      [`${use} kubectl exec talker -c none -- ls`, /container none is not valid for pod talker/, 1],
    ),
  )

  test(`kubectl exec -t over ${name} has a terminal of the right size`, { skip }, () => {
    const waits = 'until stty size | grep -q "33 101"; do sleep 0.05; done; stty size; exit 7'
    return shell.expect([
      `${use} script -qec "stty rows 33 cols 101; kubectl exec -it talker -- sh -c '${waits.replaceAll('"', '')}'" /dev/null`.replace(
        'grep -q 33 101',
        'grep -q 33.101',
      ),
      /33 101\r?\n/,
      7,
    ])
  })

  test(`kubectl attach over ${name} reaches the container's own streams`, { skip }, () =>
    shell.expect([
      `${use} ((echo ${name}; sleep 20) | kubectl attach -i talker >seen 2>&1 & echo $! >pid); ` +
        `until grep -q "got ${name}" seen; do sleep 0.05; done; kill $(cat pid); grep -c 'got ${name}' seen`,
      '1',
    ]),
  )

  test(`kubectl port-forward over ${name}: pod, service, closed port`, { skip }, () =>
    shell.expect(
      [use + forwarded('pod/web :80', 'curl -s'), /^coracle test nginx version 1\nForwarding from 127/],
      [use + forwarded('service/web :http', 'curl -s'), /^coracle test nginx version 1\nForwarding from 127/],
      [
        use + forwarded('pod/web :81', 'curl -s'),
        /an error occurred forwarding \d+ -> 81: error forwarding port 81 to pod/,
      ],
    ),
  )

  test(`kubectl cp over ${name} copies files and folders both ways`, { skip }, () =>
    shell.expect(
      ['mkdir -p folder/sub && head -c 3000000 /dev/urandom >folder/sub/random && echo text >folder/text', ''],
      [`${use} kubectl cp folder talker:/tmp/${name}`, ''],
      [`${use} kubectl cp talker:/tmp/${name} back-${name} >/dev/null 2>&1 && diff -r folder back-${name}`, ''],
    ),
  )
}

test('kubectl debug: a container more, a copy, a node', { skip }, () =>
  shell.expect(
    ['kubectl run ill --image=coracle.test/busybox:1 -- sleep 3600', 'pod/ill created'],
    ['kubectl wait pod/ill --for=condition=Ready --timeout=20s', 'pod/ill condition met'],
    [
      'kubectl debug ill --image=coracle.test/busybox:1 --target=ill -c tool --attach=false -- sleep 100',
      /Targeting container "ill"/,
    ],
    [
      `kubectl wait pod/ill --for=jsonpath='{.status.ephemeralContainerStatuses[0].state.running}' --timeout=20s`,
      'pod/ill condition met',
    ],
    ['kubectl exec ill -c tool -- ps', /sleep 3600/],
    [
      'kubectl debug ill --image=coracle.test/busybox:1 --copy-to=copy -c tool --share-processes --attach=false -- sleep 100',
      '',
    ],
    ['kubectl wait pod/copy --for=condition=Ready --timeout=20s', 'pod/copy condition met'],
    [
      'kubectl debug node/node-1 --image=coracle.test/busybox:1 --attach=false -- sleep 100',
      /Creating debugging pod (node-debugger-node-1-\w+)/,
    ],
    [
      'node=$(kubectl get pods -o name | grep node-debugger) && kubectl wait $node --for=condition=Ready --timeout=20s && ' +
        'kubectl exec ${node#pod/} -- ls /host/etc/os-release',
      /\/host\/etc\/os-release/,
    ],
    ['kubectl delete --now pod/ill pod/copy $(kubectl get pods -o name | grep node-debugger)', /"ill" deleted/],
  ),
)

test('pods, services and nodes are reached through the proxy', { skip }, () =>
  shell.expect(
    ['kubectl get --raw /api/v1/namespaces/default/pods/web:80/proxy/', 'coracle test nginx version 1'],
    ['kubectl get --raw /api/v1/namespaces/default/services/http:web:http/proxy/', 'coracle test nginx version 1'],
    [
      'kubectl get --raw /api/v1/namespaces/default/services/web:none/proxy/',
      /no endpoints available for service "web:none"/,
      1,
    ],
    [
      'kubectl get --raw /api/v1/namespaces/default/services/web:99/proxy/',
      /no service port 99 found for service "web"/,
      1,
    ],
    ['kubectl get --raw /api/v1/nodes/node-1/proxy/healthz', 'ok'],
    ['kubectl get --raw /api/v1/namespaces/default/pods/web:81/proxy/', /error trying to reach service: /, 1],
  ),
)

test('@kubernetes/client-node executes and forwards', { skip }, async () => {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const command = ['sh', '-c', 'echo out; echo err >&2; exit 4']
  const { promise, resolve } = Promise.withResolvers<V1Status>()
  await new Exec(config).exec('default', 'talker', 'main', command, stdout, stderr, null, false, resolve)
  const status = await promise
  assert.deepEqual([status.status, status.details?.causes?.[0]?.message], ['Failure', '4'])
  assert.deepEqual([String(stdout.read()), String(stderr.read())], ['out\n', 'err\n'])
  const [input, output] = [new PassThrough(), new PassThrough()]
  const socket = await new PortForward(config).portForward('default', 'web', [80], output, null, input)
  input.write('GET / HTTP/1.0\r\n\r\n')
  const [answer] = (await once(output, 'data')) as [Buffer]
  assert.match(answer.toString(), /^HTTP\/1\.1 200 OK\r\n/)
  if (typeof socket !== 'function') socket.close()
})

test('python3-kubernetes executes and forwards', { skip }, async () => {
  const script = join(import.meta.dirname, 'python-client.py')
  const printed = await outputOf('/usr/bin/python3', [script, cluster.layout.kubeconfig, 'talker', 'web'], {
    timeoutMs: 60_000,
  })
  assert.deepEqual(printed.trim().split('\n'), [
    `executed 'out\\ngot hello\\n' 'err\\n' 3`,
    `forwarded b'HTTP/1.1 200 OK' None`,
  ])
})

const protocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
]

for (const protocol of protocols) {
  test(`a client of ${protocol} hears a command to its end`, { skip }, async () => {
    const query = new URLSearchParams({ stdout: '1', container: 'main' })
    for (const word of ['sh', '-c', 'echo out; exit 5']) query.append('command', word)
    const socket = await openWebSocket(`/api/v1/namespaces/default/pods/talker/exec?${query}`, [protocol])
    const heard: Record<string, string> = {}
    socket.on('message', (data: Buffer) => {
      const isBase64 = protocol.includes('base64')
      const channel = isBase64 ? data.toString('latin1', 0, 1) : String(data[0])
      const text = isBase64 ? Buffer.from(data.toString('latin1', 1), 'base64') : data.subarray(1)
      heard[channel] = (heard[channel] ?? '') + text.toString()
    })
    await once(socket, 'close')
    assert.equal(heard['1'], 'out\n')
    assert.match(
      heard['3'] ?? '',
      protocol.startsWith('v') ? /"reason":"ExitCode","message":"5"/ : /^command terminated with non-zero exit code/,
    )
  })
}

async function openWebSocket(path: string, protocolNames: readonly string[]): Promise<WebSocket> {
  const { server = '' } = config.getCurrentCluster() ?? {}
  const options: { ca?: string; cert?: string; key?: string } = {}
  await config.applyToHTTPSOptions(options)
  const socket = new WebSocket(server.replace(/^https/, 'wss') + path, [...protocolNames], options)
  await once(socket, 'open')
  return socket
}

test('a WebSocket goes through the proxy of a service', { skip }, async () => {
  const [node] = await cluster.kubectl.list<{
    kind: string
    apiVersion: string
    metadata: never
    status: { addresses: { type: string; address: string }[] }
  }>('nodes')
  const address = node?.status.addresses.find(({ type }) => type === 'InternalIP')?.address ?? ''
  const server = createServer().listen(0, address)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (each, request) =>
    each.on('message', (data: Buffer) => each.send(`${request.url} ${data.toString()}`)),
  )
  await cluster.kubectl.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'echo' },
    spec: { ports: [{ port: 80 }] },
  })
  await cluster.kubectl.apply({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'echo-1', labels: { 'kubernetes.io/service-name': 'echo' } },
    addressType: 'IPv4',
    ports: [{ name: '', port }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  })
  try {
    const socket = await openWebSocket('/api/v1/namespaces/default/services/echo/proxy/ws?a=b', [])
    const answer = once(socket, 'message') as Promise<[Buffer]>
    socket.send('hello')
    assert.equal((await answer)[0].toString(), '/ws?a=b hello')
    socket.close()
  } finally {
    sockets.close()
    server.closeAllConnections()
    server.close()
  }
})
