import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { after, before, beforeEach, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import type { ApiRequest } from '#api/meta/exchange.ts'
import type { StatusError } from '#api/meta/status.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { systemRandom } from '#lib/random.ts'
import { SpdyConnection } from '#lib/spdy/spdy-connection.ts'
import { createAuthorizers } from '../authz/authorizers.ts'
import { loadOrCreatePki } from '../certificates/pki.ts'
import { readerOf, type TestObject } from '../registry/object-reader.case.ts'
import type { RequestInfo, Verb } from '../request-info.ts'
import { fakeNodeObjects, startFakeKubelet, type FakeKubelet } from './fake-kubelet.case.ts'
import { httpsKubeletDialer } from './kubelet-dialer.ts'
import { createNodeConnections, type NodeConnections } from './node-connections.ts'

const pki = loadOrCreatePki(undefined, { clock: systemClock, random: systemRandom, names: [], ips: [] })
const masters = { name: 'admin', groups: ['system:masters'] }
let kubelet: FakeKubelet
let pages: Pages
let connections: NodeConnections
let frontPort = 0
let user = masters
let closeAll = (): void => undefined

before(async () => {
  kubelet = await startFakeKubelet(pki)
  const { certificate, key } = pki.kubeletClient
  const dialer = httpsKubeletDialer({ clock: systemClock, ca: pki.ca.certificate, certificate, key })
  pages = await startPages()
  const reader = readerOf(...fakeNodeObjects(kubelet.port), pages.pod)
  const common = { reader, dialer, random: systemRandom, log: silentLog, isProxyable: () => true }
  connections = createNodeConnections({ ...common, authorizers: createAuthorizers(reader) })
  const front = createServer()
  front.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    const parts = requestOf(incoming.method ?? '', incoming.url ?? '')
    connections.upgrade({ ...parts, user, incoming, socket, head }).catch((error: unknown) => {
      const status = error as StatusError
      socket.end(
        `HTTP/1.1 ${status.code} x\r\nContent-Length: ${Buffer.byteLength(status.message)}\r\n\r\n${status.message}`,
      )
    })
  })
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  frontPort = (front.address() as AddressInfo).port
  closeAll = () => {
    kubelet.close()
    pages.close()
    dialer.close()
    front.closeAllConnections()
    front.close()
  }
})

after(() => closeAll())
beforeEach(() => {
  kubelet.outcome = 'success'
  user = masters
})

/** Takes `/NAMESPACE/RESOURCE/NAME/SUBRESOURCE/REST?query` apart. */
function requestOf(method: string, url: string): { info: RequestInfo; request: ApiRequest } {
  const [path = '', query = ''] = url.split('?')
  const [, namespace = '', resource = '', name = '', subresource = '', ...rest] = path.split('/')
  const verb: Verb = method === 'POST' ? 'create' : 'get'
  const info = {
    isResourceRequest: true,
    path,
    verb,
    group: '',
    version: 'v1',
    resource,
    subresource,
    namespace,
    name,
    rest: rest.join('/'),
  }
  const request = { method, path, query: new URLSearchParams(query), headers: {}, signal: new AbortController().signal }
  return { info, request }
}

interface Pages {
  readonly pod: TestObject
  close(): void
}

/** What runs in a pod: pages that redirect, and an echo for WebSockets. */
async function startPages(): Promise<Pages> {
  const server = createServer((request, response) => {
    const location = request.url?.slice(1) ?? ''
    if (request.headers.upgrade !== undefined) response.writeHead(400, { 'x-page': 'yes' }).end('no upgrade here')
    else response.writeHead(302, { location: decodeURIComponent(location), 'access-control-allow-origin': '*' }).end()
  })
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] ?? false })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url === '/refuse') return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
    sockets.handleUpgrade(request, socket, head, (each) => {
      each.on('message', (data: Buffer) => each.send(`${request.url} ${data.toString()}`))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'pages', namespace: 'shop' },
    spec: { nodeName: 'alpha', containers: [{ name: 'c', ports: [{ containerPort: port }] }] },
    status: { podIP: '127.0.0.1' },
  }
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { pod, close }
}

interface Conversation {
  readonly output: Readonly<Record<string, string>>
  readonly code: number
}

/** Runs a command over WebSocket: sends the messages, then collects channels until the server closes. */
async function converse(
  url: string,
  messages: readonly (Buffer | string)[],
  protocol = 'v5.channel.k8s.io',
): Promise<Conversation> {
  const socket = new WebSocket(`ws://127.0.0.1:${frontPort}${url}`, [protocol])
  const output: Record<string, string> = {}
  socket.on('message', (data: Buffer) => {
    const isText = protocol.includes('base64')
    const channel = isText ? data.toString('latin1', 0, 1) : String(data[0])
    output[channel] =
      (output[channel] ?? '') +
      (isText ? Buffer.from(data.toString('latin1', 1), 'base64').toString() : data.subarray(1).toString())
  })
  await once(socket, 'open')
  assert.equal(socket.protocol, protocol)
  for (const message of messages) socket.send(message)
  const [code] = (await once(socket, 'close')) as [number]
  return { output, code }
}

const channel = (number: number, data: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from([number]), Buffer.from(data)])
const closeStdin = Buffer.from([255, 0])

test('exec over WebSocket v5: stdin, its end, stdout, stderr and the status', async () => {
  const url = '/shop/pods/web/exec?command=cat&command=-&stdin=true&stdout=true&stderr=true'
  const { output, code } = await converse(url, [channel(0, 'hello '), channel(0, 'world'), closeStdin])
  assert.deepEqual(output, { 1: 'hello world', 2: 'complaint', 3: '{"metadata":{},"status":"Success"}' })
  assert.equal(code, 1000)
  assert.equal(kubelet.requests.at(-1), 'POST /exec/shop/web/c?command=cat&command=-&input=1&output=1&error=1')
  assert.equal(kubelet.client, 'kube-apiserver-kubelet-client')
})

test('a terminal has a resize channel and no stderr', async () => {
  const size = '{"Width":80,"Height":24}'
  const { output } = await converse('/shop/pods/web/exec?command=sh&stdin=1&stdout=1&stderr=1&tty=1', [
    channel(4, size),
    channel(0, 'x'),
    closeStdin,
  ])
  assert.equal(output['1'], `x${size}`)
  assert.equal(output['2'], undefined)
})

test('an exit code arrives as the status of the node', async () => {
  kubelet.outcome = 'exit 3'
  const { output } = await converse('/shop/pods/web/exec?command=false&stdin=1&stdout=1', [closeStdin])
  assert.match(output['3'] ?? '', /"ExitCode","message":"3"/)
})

test('a node that hangs up is a failure, not a success', async () => {
  kubelet.outcome = 'hang up'
  const { output } = await converse('/shop/pods/web/exec?command=x&stdin=1&stdout=1', [channel(0, 'out'), closeStdin])
  assert.equal(output['1'], 'out')
  assert.match(output['3'] ?? '', /"status":"Failure","message":"the node closed the connection without saying/)
})

test('a megabyte each way is whole, also in base64', async () => {
  const chunks = Array.from({ length: 64 }, () => channel(0, Buffer.alloc(16 * 1024, 'x')))
  const { output } = await converse('/shop/pods/web/exec?command=cat&stdin=1&stdout=1', [...chunks, closeStdin])
  assert.equal(output['1']?.length, 1024 * 1024)
  const socket = new WebSocket(`ws://127.0.0.1:${frontPort}/shop/pods/web/attach?stdin=1&stdout=1`, [
    'v4.base64.channel.k8s.io',
  ])
  await once(socket, 'open')
  const answer = once(socket, 'message') as Promise<[Buffer]>
  socket.send(`0${Buffer.from('old browser').toString('base64')}`)
  const [data] = await answer
  assert.equal(data.toString(), `1${Buffer.from('old browser').toString('base64')}`)
  socket.close()
})

interface Upgraded {
  readonly response: IncomingMessage
  readonly socket: Duplex | undefined
  readonly text: string
}

async function upgradeHttp(method: string, url: string, headers: Record<string, string | string[]>): Promise<Upgraded> {
  const request = httpRequest({
    agent: false,
    host: '127.0.0.1',
    port: frontPort,
    method,
    path: url,
    headers: { Connection: 'Upgrade', ...headers },
  })
  request.end()
  const { promise, resolve } = Promise.withResolvers<Upgraded>()
  request.on('upgrade', (response, socket) => resolve({ response, socket, text: '' }))
  request.on('response', (response) => {
    void response
      .toArray()
      .then((chunks) => resolve({ response, socket: undefined, text: Buffer.concat(chunks as Buffer[]).toString() }))
  })
  return promise
}

test('a SPDY client is handed through to the kubelet', async () => {
  const { response, socket } = await upgradeHttp('POST', '/shop/pods/web/exec?command=cat&stdin=1&stdout=1', {
    Upgrade: 'SPDY/3.1',
    'X-Stream-Protocol-Version': ['v4.channel.k8s.io', 'v3.channel.k8s.io'],
  })
  assert.equal(response.headers['x-stream-protocol-version'], 'v4.channel.k8s.io')
  const client = new SpdyConnection({ socket: socket!, role: 'client' })
  const error = await client.open({ streamType: 'error' })
  const stdin = await client.open({ streamType: 'stdin' })
  const stdout = await client.open({ streamType: 'stdout' })
  stdin.end('through')
  assert.equal(Buffer.concat((await stdout.toArray()) as Buffer[]).toString(), 'through')
  assert.match(Buffer.concat((await error.toArray()) as Buffer[]).toString(), /Success/)
  client.close()
})

test('port-forward is tunnelled through a WebSocket', async () => {
  const protocol = 'SPDY/3.1+portforward.k8s.io'
  const { response, socket } = await upgradeHttp('GET', '/shop/pods/web/portforward?ports=80', {
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
    'Sec-WebSocket-Protocol': protocol,
  })
  assert.equal(response.headers['sec-websocket-protocol'], protocol)
  assert.equal(kubelet.requests.at(-1), 'POST /portForward/shop/web?port=80')
  socket!.destroy()
})

test('clients of old get the text of an error, and nothing after a success', async () => {
  const url = '/shop/pods/web/exec?command=cat&stdin=1&stdout=1'
  for (const [protocol, encode] of [
    ['channel.k8s.io', (text: string) => channel(0, text)],
    ['base64.channel.k8s.io', (text: string) => `0${Buffer.from(text).toString('base64')}`],
  ] as const) {
    const socket = new WebSocket(`ws://127.0.0.1:${frontPort}${url}`, [protocol, 'v4.channel.k8s.io'])
    await once(socket, 'open')
    assert.equal(socket.protocol, protocol)
    const answer = once(socket, 'message') as Promise<[Buffer]>
    socket.send(encode('old'))
    assert.ok(
      (await answer)[0]
        .subarray(1)
        .toString()
        .startsWith(protocol.startsWith('b') ? 'b2xk' : 'old'),
    )
    socket.close()
  }
  const plain = new WebSocket(`ws://127.0.0.1:${frontPort}${url}`)
  await once(plain, 'open')
  assert.equal(plain.protocol, '')
  plain.close()
})

test('port-forward over channels: data and errors, each after its port', async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${frontPort}/shop/pods/web/portforward?ports=80,8080`, [
    'v4.channel.k8s.io',
  ])
  const seen: Buffer[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.on('message', (data: Buffer) => {
    seen.push(data)
    if (seen.length === 5) resolve()
  })
  await once(socket, 'open')
  socket.send(channel(2, 'ping'))
  await promise
  const port = (number: number, value: number): Buffer => Buffer.from([number, value & 0xff, value >> 8])
  assert.deepEqual(seen.slice(0, 4), [port(0, 80), port(1, 80), port(2, 8080), port(3, 8080)])
  assert.deepEqual(seen[4], channel(2, 'ping'))
  socket.close()
})

test('a WebSocket reaches a pod through its proxy, and the pod may refuse', async () => {
  const url = `ws://127.0.0.1:${frontPort}/shop/pods/pages/proxy/a/b?c=d`
  const socket = new WebSocket(url, ['chat'])
  await once(socket, 'open')
  assert.equal(socket.protocol, 'chat')
  const answer = once(socket, 'message') as Promise<[Buffer]>
  socket.send('hello')
  assert.equal((await answer)[0].toString(), '/a/b?c=d hello')
  socket.close()
  const headers = {
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
  }
  const refused = await upgradeHttp('GET', '/shop/pods/pages/proxy/refuse', headers)
  assert.deepEqual([refused.response.statusCode, refused.text], [403, 'no'])
})

const redirects: readonly (readonly [path: string, location: string])[] = [
  ['/shop/pods/pages/proxy', '/shop/pods/pages/proxy/'],
  ['/shop/pods/pages/proxy/%2Flogin', '/shop/pods/pages/proxy/login'],
  ['/shop/pods/pages/proxy/near', 'near'],
  ['/shop/pods/pages/proxy/https%3A%2F%2Fexample.com%2Fx', 'https://example.com/x'],
]

for (const [path, location] of redirects) {
  test(`${path} leads to ${location}`, async () => {
    const answer = await connections.proxy(requestOf('GET', path))
    assert.equal(answer.headers['location'], location)
    assert.equal(answer.headers['access-control-allow-origin'], undefined)
    if (answer.body.type === 'stream') for await (const chunk of answer.body.chunks) assert.equal(chunk.length, 0)
  })
}

const refusals: readonly [string, string, string, number][] = [
  ['GET', '/shop/pods/none/exec?command=x&stdout=1', 'pods "none" not found', 404],
  ['GET', '/shop/pods/waiting/exec?command=x', 'pod waiting does not have a host assigned', 400],
  [
    'GET',
    '/shop/pods/two/exec?command=x&stdout=1',
    'a container name must be specified for pod two, choose one of: [a b] or one of the init containers: [i]',
    400,
  ],
  ['GET', '/shop/pods/web/exec?command=x&stdout=1&container=z', 'container z is not valid for pod web', 400],
  ['GET', '/shop/pods/web/exec?command=x', 'you must specify at least 1 of stdin, stdout, stderr', 400],
  ['GET', '/shop/pods/refused/exec?command=x&stdout=1', 'no, sir', 400],
  ['GET', '/shop/pods/lost/attach?stdout=1', 'nodes "gone" not found', 404],
  ['GET', '/shop/pods/none/proxy/', 'pods "none" not found', 404],
]

for (const [method, url, message, code] of refusals) {
  test(`upgrade refused: ${message}`, async () => {
    const { response, text } = await upgradeHttp(method, url, {
      Upgrade: 'websocket',
      'Sec-WebSocket-Protocol': 'v5.channel.k8s.io',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'x',
    })
    assert.equal(text, message)
    assert.equal(response.statusCode, code)
  })
}

test('a WebSocket needs the right to create, and a protocol that is known', async () => {
  const headers = { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': 'v9.channel.k8s.io' }
  const unknown = await upgradeHttp('GET', '/shop/pods/web/exec?command=x&stdout=1', headers)
  assert.match(
    unknown.text,
    /client supports \[v9.channel.k8s.io\], server accepts \[v5.channel.k8s.io v4.channel.k8s.io/,
  )
  user = { name: 'reader', groups: [] }
  const denied = await upgradeHttp('GET', '/shop/pods/web/exec?command=x&stdout=1', headers)
  assert.equal(denied.response.statusCode, 403)
  assert.match(denied.text, /pods "web" is forbidden: User "reader" cannot create resource "pods\/exec"/)
})

async function textOf(answer: Promise<{ status: number; body: object }>): Promise<string> {
  const { status, body } = (await answer) as { status: number; body: { chunks?: AsyncIterable<Buffer> } }
  const chunks: Buffer[] = []
  for await (const chunk of body.chunks ?? []) chunks.push(chunk)
  return `${status} ${Buffer.concat(chunks).toString()}`
}

test('logs are the text of the kubelet, and its refusals come through', async () => {
  assert.equal(
    await textOf(connections.log(requestOf('GET', '/shop/pods/web/log?follow=true&tailLines=5&container=c'))),
    '200 one\ntwo\n',
  )
  assert.equal(kubelet.requests.at(-1), 'GET /containerLogs/shop/web/c?follow=true&tailLines=5')
  assert.equal(await textOf(connections.log(requestOf('GET', '/shop/pods/waiting/log'))), '204 ')
  await assert.rejects(connections.log(requestOf('GET', '/shop/pods/web/log?previous=true')), {
    reason: 'BadRequest',
    message: 'previous terminated container "c" in pod "web" not found',
  })
})

const badLogs: readonly [string, string][] = [
  [
    '/shop/pods/web/log?tailLines=-1',
    'PodLogOptions "web" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    '/shop/pods/web/log?sinceSeconds=0',
    'PodLogOptions "web" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0',
  ],
  [
    '/shop/pods/web/log?sinceSeconds=1&sinceTime=2020-01-01T00:00:00Z',
    'PodLogOptions "web" is invalid: []: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
  ],
  [
    '/shop/pods/web/log?limitBytes=0',
    'PodLogOptions "web" is invalid: limitBytes: Invalid value: 0: must be greater than 0',
  ],
  [
    '/shop/pods/two/log',
    'a container name must be specified for pod two, choose one of: [a b] or one of the init containers: [i]',
  ],
  ['/shop/pods/none/log', 'pods "none" not found'],
]

for (const [url, message] of badLogs) {
  test(`log refused: ${message}`, async () => {
    await assert.rejects(connections.log(requestOf('GET', url)), { message })
  })
}

test("a node is proxied to with the server's certificate", async () => {
  assert.equal(
    await textOf(connections.proxy(requestOf('GET', '//nodes/alpha/proxy/healthz?a=b'))),
    '200 GET /healthz?a=b',
  )
  assert.equal(kubelet.client, 'kube-apiserver-kubelet-client')
  await assert.rejects(connections.proxy(requestOf('GET', '//nodes/none/proxy/')), {
    message: 'nodes "none" not found',
  })
})

test('an unreachable kubelet is an error that says so', async () => {
  const reader = readerOf(...fakeNodeObjects(1))
  const { certificate, key } = pki.kubeletClient
  const dialer = httpsKubeletDialer({ clock: systemClock, ca: pki.ca.certificate, certificate, key })
  const cut = createNodeConnections({ reader, dialer, random: systemRandom, log: silentLog, authorizers: [] })
  await assert.rejects(cut.log(requestOf('GET', '/shop/pods/web/log')), {
    code: 500,
    message: /^error dialing backend: .*ECONNREFUSED/,
  })
  await assert.rejects(cut.proxy(requestOf('GET', '//nodes/alpha/proxy/')), { message: 'address not allowed' })
})

test('a kubelet with a foreign certificate is not talked to', async () => {
  const other = loadOrCreatePki(undefined, { clock: systemClock, random: systemRandom, names: [], ips: [] })
  const { certificate, key } = other.kubeletClient
  const dialer = httpsKubeletDialer({ clock: systemClock, ca: other.ca.certificate, certificate, key })
  const reader = readerOf(...fakeNodeObjects(kubelet.port))
  const wrong = createNodeConnections({ reader, dialer, random: systemRandom, log: silentLog, authorizers: [] })
  await assert.rejects(wrong.log(requestOf('GET', '/shop/pods/web/log')), {
    code: 500,
    message: /^error dialing backend/,
  })
})
