import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeFrame } from './frames.ts'
import { HeaderReader, HeaderWriter } from './header-block.ts'
import { SpdyConnection } from './spdy-connection.ts'
import { SpdyError } from './spdy-error.ts'

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))

function onlySpdyErrors(body: () => unknown): void {
  try {
    body()
  } catch (error) {
    assert.ok(error instanceof SpdyError, String(error))
  }
}

test('arbitrary frames and header blocks are read or refused', () => {
  fc.assert(fc.property(bytes, (input) => onlySpdyErrors(() => decodeFrame(input))))
  fc.assert(fc.property(bytes, (input) => onlySpdyErrors(() => new HeaderReader().read(input))))
})

test('headers are read back as they were written', () => {
  const names = fc.stringMatching(/^[a-z-]{1,20}$/).filter((name) => name !== '__proto__')
  fc.assert(
    fc.property(fc.array(fc.dictionary(names, fc.string()), { maxLength: 5 }), (blocks) => {
      const [writer, reader] = [new HeaderWriter(), new HeaderReader()]
      for (const block of blocks) assert.deepEqual({ ...reader.read(writer.write(block)) }, { ...block })
    }),
  )
})

test('a connection survives arbitrary control frames, whole or in pieces', async () => {
  const frame = fc.tuple(fc.integer({ min: 0, max: 12 }), bytes).map(([type, body]) => {
    const head = Buffer.from([0x80, 3, 0, type, 0, 0, 0, 0])
    head.writeUIntBE(body.length, 5, 3)
    return Buffer.concat([head, body])
  })
  await fc.assert(
    fc.asyncProperty(frame, fc.integer({ min: 1, max: 50 }), async (input, piece) => {
      const [left, right] = duplexPair()
      left.on('error', () => undefined).resume()
      const server = new SpdyConnection({ socket: right, role: 'server', onStream: () => undefined })
      for (let offset = 0; offset < input.length; offset += piece) left.write(input.subarray(offset, offset + piece))
      left.end()
      await server.closed.catch((error: unknown) => assert.ok(error instanceof SpdyError, String(error)))
    }),
    { numRuns: 60 },
  )
})
