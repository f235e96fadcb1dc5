import assert from 'node:assert/strict'
import { duplexPair, type Duplex } from 'node:stream'
import { test } from 'node:test'
import { constants, deflateSync, createDeflate } from 'node:zlib'
import { once } from 'node:events'
import { decodeFrame, encodeWindowUpdate } from './frames.ts'
import { spdyDictionary } from './dictionary.ts'
import { HeaderReader, HeaderWriter } from './header-block.ts'
import { SpdyConnection, type SpdyOptions } from './spdy-connection.ts'
import type { SpdyStream } from './spdy-stream.ts'

function pair(server: Partial<SpdyOptions> = {}, client: Partial<SpdyOptions> = {}) {
  const [left, right] = duplexPair()
  const accepted: SpdyStream[] = []
  const onStream = (stream: SpdyStream): void => void accepted.push(stream)
  return {
    accepted,
    client: new SpdyConnection({ socket: left, role: 'client', ...client }),
    server: new SpdyConnection({ socket: right, role: 'server', onStream, ...server }),
    sockets: { left, right },
  }
}

/** Reads to the end without closing the other half, as iterating would. */
async function text(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
  await once(stream, 'end')
  return Buffer.concat(chunks).toString()
}

test('the dictionary is the one of the specification', () => {
  const head = deflateSync('x', { dictionary: spdyDictionary() }).subarray(0, 6)
  assert.equal(head.toString('hex'), '78bbe3c6a7c2')
})

test('header blocks of a real compressor are read, one after another', async () => {
  const deflate = createDeflate({ dictionary: spdyDictionary() })
  const reader = new HeaderReader()
  const out: Buffer[] = []
  deflate.on('data', (chunk: Buffer) => void out.push(chunk))
  for (const headers of [
    { streamtype: 'stdin' },
    { streamtype: 'stdout' },
    { streamtype: 'error', port: '80', requestid: '0' },
  ]) {
    deflate.write(plainBlock(headers))
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve))
    assert.deepEqual(reader.read(Buffer.concat(out.splice(0))), headers)
  }
})

function plainBlock(headers: Record<string, string>): Buffer {
  const number = (value: number): Buffer => Buffer.from([0, 0, 0, value])
  const pairs = Object.entries(headers).flatMap(([name, value]) => [
    number(name.length),
    Buffer.from(name),
    number(value.length),
    Buffer.from(value),
  ])
  return Buffer.concat([number(Object.keys(headers).length), ...pairs])
}

test('written header blocks are read back, and are one valid zlib stream', () => {
  const [writer, reader] = [new HeaderWriter(), new HeaderReader()]
  for (const headers of [{ streamType: 'stdin' }, {}, { a: 'ä'.repeat(1000) }]) {
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
    assert.deepEqual(reader.read(writer.write(headers)), lower)
  }
})

test('a header block that unpacks to too much or is broken is refused', () => {
  const bomb = deflateSync(Buffer.alloc(10_000_000), { dictionary: spdyDictionary() })
  assert.throws(() => new HeaderReader().read(bomb), { name: 'SpdyError' })
  assert.throws(() => new HeaderReader().read(Buffer.from('78bbe3c6a7c2ffff', 'hex')), { name: 'SpdyError' })
  assert.throws(() => new HeaderReader().read(Buffer.from([0])), { name: 'SpdyError' })
})

test('a stream carries headers and bytes both ways, each half closed by itself', async () => {
  const { client, accepted } = pair()
  const stream = await client.open({ streamType: 'stdin', port: '80' })
  const [peer] = accepted
  assert.deepEqual(peer?.headers, { streamtype: 'stdin', port: '80' })
  stream.end('question')
  assert.equal(await text(peer!), 'question')
  peer!.end('answer')
  assert.equal(await text(stream), 'answer')
  client.close()
  await client.closed
})

test('a megabyte arrives whole while the reader is slow, and memory stays bounded', async () => {
  const { client, accepted } = pair()
  const stream = await client.open({})
  const sent = Buffer.alloc(1024 * 1024, 'x')
  stream.end(sent)
  const peer = accepted[0]!
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(peer.waiting + peer.readableLength < 400 * 1024, `buffered ${peer.waiting}`)
  assert.equal((await text(peer)).length, sent.length)
})

test('a peer that sends window updates is held to, one that does not is not', async () => {
  const { client, accepted, sockets } = pair()
  const stream = await client.open({})
  const seen: Buffer[] = []
  sockets.right.removeAllListeners('data')
  sockets.right.on('data', (chunk: Buffer) => void seen.push(chunk))
  sockets.right.write(encodeWindowUpdate(stream.id, 1))
  await settle()
  stream.write(Buffer.alloc(100 * 1024))
  await settle()
  const payload = (): number => sizes(Buffer.concat(seen)).reduce((sum, size) => sum + size, 0)
  assert.equal(payload(), 64 * 1024)
  sockets.right.write(encodeWindowUpdate(0, 50_000))
  sockets.right.write(encodeWindowUpdate(stream.id, 9_999))
  await settle()
  assert.equal(payload(), 64 * 1024 + 10_000)
  assert.equal(accepted.length, 1)
})

function sizes(bytes: Buffer): number[] {
  const found: number[] = []
  for (let next = decodeFrame(bytes); next !== undefined; next = decodeFrame(bytes)) {
    if (next.frame.type === 'data') found.push(next.frame.data.length)
    bytes = bytes.subarray(next.length)
  }
  return found
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('a reset and the end of the connection are the end of what was received', async () => {
  const { client, server, accepted } = pair()
  const first = await client.open({})
  const second = await client.open({})
  accepted[0]!.write('one')
  accepted[1]!.write('two')
  await settle()
  accepted[0]!.destroy()
  server.close()
  assert.deepEqual([await text(first), await text(second)], ['one', 'two'])
  await client.closed
  await assert.rejects(client.open({}), { name: 'SpdyError' })
})

test('streams beyond the limit and streams nobody wants are refused', async () => {
  const limited = pair({ streamsMax: 1 })
  await limited.client.open({})
  await assert.rejects(limited.client.open({}), { name: 'SpdyError' })
  const { left, right } = pair().sockets
  left.removeAllListeners()
  right.removeAllListeners()
  const [a, b] = duplexPair()
  const client = new SpdyConnection({ socket: a, role: 'client' })
  const server = new SpdyConnection({ socket: b, role: 'server' })
  await assert.rejects(client.open({}), { name: 'SpdyError' })
  server.close()
})

test('garbage ends the connection with an error', async () => {
  for (const garbage of [
    '8002000100000000',
    '80030001000000ff',
    '800300010000000400000001',
    '00000001ff'.padEnd(16, 'f'),
  ]) {
    const [left, right] = duplexPair()
    const server = new SpdyConnection({ socket: right, role: 'server', onStream: () => undefined })
    left.on('error', () => undefined)
    left.end(Buffer.from(garbage, 'hex'))
    await server.closed.catch((error: unknown) => assert.equal((error as Error).name, 'SpdyError'))
  }
})

test('pings are answered', async () => {
  const [left, right] = duplexPair()
  const server = new SpdyConnection({ socket: right, role: 'server' })
  left.write(Buffer.from('800300060000000400000007', 'hex'))
  const [answer] = (await once(left, 'data')) as [Buffer]
  assert.equal(answer.toString('hex'), '800300060000000400000007')
  server.close()
})
