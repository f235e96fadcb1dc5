import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import type { StatusError } from '#api/meta/status.ts'
import { createAuthorizers } from '#apiserver/authz/authorizers.ts'
import { loadOrCreatePki } from '#apiserver/certificates/pki.ts'
import { readerOf } from '#apiserver/registry/object-reader.case.ts'
import { parseRequestInfo } from '#apiserver/request-info.ts'
import { fakeNodeObjects, startFakeKubelet } from '#apiserver/streaming/fake-kubelet.case.ts'
import { httpsKubeletDialer } from '#apiserver/streaming/kubelet-dialer.ts'
import { createNodeConnections } from '#apiserver/streaming/node-connections.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { systemRandom } from '#lib/random.ts'
import { fuzzParameters } from './fuzzed-server.ts'

const pod = '/api/v1/namespaces/shop/pods/web'
const endedWithinMs = 10_000

interface Upgrade {
  readonly url: string
  readonly protocol: string
  readonly headers: readonly string[]
}

const webSocket = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
const spdy = ['Upgrade: SPDY/3.1']
const exec = `${pod}/exec?command=cat&stdin=1&stdout=1&stderr=1`
const upgrades: readonly Upgrade[] = [
  { url: exec, protocol: 'Sec-WebSocket-Protocol: v5.channel.k8s.io', headers: webSocket },
  { url: exec, protocol: 'Sec-WebSocket-Protocol: v4.base64.channel.k8s.io', headers: webSocket },
  { url: exec, protocol: 'X-Stream-Protocol-Version: v4.channel.k8s.io', headers: spdy },
  { url: `${pod}/portforward?ports=80`, protocol: 'Sec-WebSocket-Protocol: v4.channel.k8s.io', headers: webSocket },
  { url: `${pod}/portforward`, protocol: 'Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io', headers: webSocket },
  { url: `${pod}/portforward`, protocol: 'X-Stream-Protocol-Version: portforward.k8s.io', headers: spdy },
  {
    url: `${pod}/exec?command=%00&tty=__proto__`,
    protocol: 'Sec-WebSocket-Protocol: __proto__, constructor',
    headers: webSocket,
  },
  { url: `${pod}/portforward?ports=99999`, protocol: 'Sec-WebSocket-Protocol: v4.channel.k8s.io', headers: webSocket },
]

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))

/** A frame of a WebSocket: masked or not, with lengths that may lie. */
const webSocketFrame = fc
  .record({
    opcode: fc.integer({ min: 0, max: 15 }),
    first: fc.constantFrom(0x80, 0x00, 0xf0, 0xc0),
    length: fc.constantFrom('true', 'huge', 'none'),
    isMasked: fc.boolean(),
    body: fc.oneof(
      bytes,
      fc
        .tuple(fc.constantFrom(0, 1, 3, 4, 5, 255), bytes)
        .map(([channel, data]) => Buffer.concat([Buffer.from([channel]), data])),
    ),
  })
  .map(({ opcode, first, length, isMasked, body }) => {
    const mask = isMasked ? 0x80 : 0
    const size =
      length === 'true' ? [mask | body.length] : length === 'none' ? [mask] : [mask | 127, ...Array(8).fill(0x7f)]
    return Buffer.concat([Buffer.from([first | opcode, ...size, ...(isMasked ? [0, 0, 0, 0] : [])]), body])
  })

/** A frame of SPDY: control or data, of any type, with bodies that mean nothing. */
const spdyFrame = fc
  .tuple(fc.boolean(), fc.integer({ min: 0, max: 12 }), fc.nat(255), bytes)
  .map(([isControl, type, flags, body]) => {
    const head = Buffer.from(isControl ? [0x80, 3, 0, type, flags, 0, 0, 0] : [0, 0, 0, type, flags, 0, 0, 0])
    head.writeUIntBE(body.length, 5, 3)
    return Buffer.concat([head, body])
  })

describe('fuzzed upgrades', () => {
  const surprises: unknown[] = []
  let port = 0
  let close = (): void => undefined

  before(async () => {
    const tools = { clock: systemClock, random: systemRandom }
    const pki = loadOrCreatePki(undefined, { ...tools, names: [], ips: [] })
    const kubelet = await startFakeKubelet(pki)
    const { certificate, key } = pki.kubeletClient
    const dialer = httpsKubeletDialer({ clock: systemClock, ca: pki.ca.certificate, certificate, key })
    const reader = readerOf(...fakeNodeObjects(kubelet.port))
    const common = { reader, dialer, random: systemRandom, log: silentLog, isProxyable: () => true }
    const connections = createNodeConnections({ ...common, authorizers: createAuthorizers(reader) })
    const user = { name: 'admin', groups: ['system:masters'] }
    const front = createServer()
    front.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
      const [path = '', query = ''] = (incoming.url ?? '').split('?')
      const request = {
        method: incoming.method ?? 'GET',
        path,
        query: new URLSearchParams(query),
        headers: incoming.headers as Record<string, string>,
        signal: new AbortController().signal,
      }
      connections
        .upgrade({ request, info: parseRequestInfo(request), user, incoming, socket, head })
        .catch((error: unknown) => {
          if (typeof (error as StatusError).code !== 'number') surprises.push(error)
          socket.destroy()
        })
    })
    front.listen(0, '127.0.0.1')
    await once(front, 'listening')
    port = (front.address() as AddressInfo).port
    close = () => {
      kubelet.close()
      dialer.close()
      front.closeAllConnections()
      front.close()
    }
  })
  after(() => close())

  /** Upgrades, sends the frames and ends; resolves when the server has ended, too. */
  async function send({ url, protocol, headers }: Upgrade, frames: readonly Buffer[], isEarly: boolean): Promise<void> {
    const socket = connect(port, '127.0.0.1')
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
    // A connection that is reset has ended as well.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
    socket.once('data', () => answer())
    socket.setTimeout(endedWithinMs, () => assert.fail('the server did not end the connection'))
    const head = [`GET ${url} HTTP/1.1`, 'Host: x', 'Connection: Upgrade', ...headers, protocol, '', ''].join('\r\n')
    socket.write(head)
    // Some do not wait for the answer.
    if (!isEarly) await Promise.race([answered, ended])
    for (const frame of frames) if (!socket.destroyed) socket.write(frame)
    socket.end()
    await ended
  }

  test('frames of any shape end their connection and nothing else', async () => {
    const frames = fc.array(fc.oneof(webSocketFrame, spdyFrame, bytes), { maxLength: 6 })
    const property = fc.asyncProperty(
      fc.constantFrom(...upgrades),
      frames,
      fc.boolean(),
      async (upgrade, sent, isEarly) => {
        await send(upgrade, sent, isEarly)
        assert.deepEqual(surprises.splice(0), [])
      },
    )
    await fc.assert(property, fuzzParameters(150))
  })

  test('what is sent without end is not kept', async () => {
    const before = process.memoryUsage().rss
    const flood = Array.from({ length: 64 }, () => Buffer.alloc(1 << 18, 0x7f))
    for (const upgrade of upgrades) await send(upgrade, flood, false)
    assert.ok(process.memoryUsage().rss - before < 200 << 20)
    assert.deepEqual(surprises.splice(0), [])
  })
})
