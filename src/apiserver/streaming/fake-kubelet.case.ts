import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { SpdyConnection } from '#lib/spdy/spdy-connection.ts'
import type { SpdyStream } from '#lib/spdy/spdy-stream.ts'
import type { Pki } from '../certificates/pki.ts'
import type { TestObject } from '../registry/object-reader.case.ts'

/** A kubelet that knows one container: its command echoes stdin to stdout and its arguments to stderr. */
export interface FakeKubelet {
  readonly port: number
  /** Request lines seen, and the subject of the client that sent the last one. */
  readonly requests: string[]
  client: string
  /** How commands end; `hang up` closes the connection without a status. */
  outcome: 'success' | 'exit 3' | 'hang up'
  close(): void
}

export async function startFakeKubelet(pki: Pki): Promise<FakeKubelet> {
  const { certificate: cert, key } = pki.kubeletServing('alpha', ['127.0.0.1'])
  const kubelet = {
    port: 0,
    requests: [] as string[],
    client: '',
    outcome: 'success' as FakeKubelet['outcome'],
    close: () => undefined as void,
  }
  const server = createServer({ cert, key, ca: pki.ca.certificate, requestCert: true, rejectUnauthorized: true })
  const note = (request: IncomingMessage): void => {
    kubelet.requests.push(`${request.method} ${request.url}`)
    const socket = request.socket as import('node:tls').TLSSocket
    kubelet.client = String(socket.getPeerCertificate().subject.CN)
  }
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    note(request)
    answer(request, response)
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    note(request)
    if (request.url?.includes('/refused'))
      return void socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 7\r\n\r\nno, sir')
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n')
    const isForward = request.url?.startsWith('/portForward/')
    socket.write(`X-Stream-Protocol-Version: ${isForward ? 'portforward.k8s.io' : 'v4.channel.k8s.io'}\r\n\r\n`)
    serveStreams(socket, head, kubelet)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  kubelet.port = (server.address() as AddressInfo).port
  kubelet.close = () => closeAll(server)
  return kubelet
}

function closeAll(server: Server): void {
  server.closeAllConnections()
  server.close()
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.url?.includes('previous=true')) {
    response.writeHead(400).end('previous terminated container "c" in pod "web" not found')
  } else if (request.url?.startsWith('/containerLogs/')) {
    response.write('one\n')
    response.end('two\n')
  } else response.end(`${request.method} ${request.url}`)
}

function serveStreams(socket: Duplex, head: Buffer, kubelet: FakeKubelet): void {
  const streams = new Map<string, SpdyStream>()
  const resizes: string[] = []
  const connection = new SpdyConnection({
    socket,
    role: 'server',
    head,
    onStream(stream) {
      const type = stream.headers['streamtype'] ?? ''
      streams.set(type, stream)
      if (type === 'data') stream.pipe(stream)
      if (type === 'resize') stream.on('data', (chunk: Buffer) => void resizes.push(chunk.toString()))
      if (type === 'stdin') {
        stream.on('data', (chunk: Buffer) => void streams.get('stdout')?.write(chunk))
        stream.on('end', () => finish(connection, streams, resizes, kubelet))
      }
      if (type === 'stderr') stream.write('complaint')
    },
  })
}

function finish(
  connection: SpdyConnection,
  streams: Map<string, SpdyStream>,
  resizes: readonly string[],
  { outcome }: FakeKubelet,
): void {
  if (outcome === 'hang up') return connection.close()
  const exit = {
    metadata: {},
    status: 'Failure',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '3' }] },
  }
  const status = outcome === 'exit 3' ? exit : { metadata: {}, status: 'Success' }
  streams.get('stdout')?.end(resizes.join())
  streams.get('stderr')?.end()
  streams.get('error')?.end(JSON.stringify(status))
}

/** A pod on that kubelet's node. */
export function fakeNodeObjects(port: number): readonly TestObject[] {
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  }
  const pod = (name: string, spec: object): TestObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop' },
    spec,
  })
  return [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'alpha' }, status },
    pod('web', { nodeName: 'alpha', containers: [{ name: 'c' }] }),
    pod('refused', { nodeName: 'alpha', containers: [{ name: 'c' }] }),
    pod('two', { nodeName: 'alpha', containers: [{ name: 'a' }, { name: 'b' }], initContainers: [{ name: 'i' }] }),
    pod('waiting', { containers: [{ name: 'c' }] }),
    pod('lost', { nodeName: 'gone', containers: [{ name: 'c' }] }),
  ]
}
