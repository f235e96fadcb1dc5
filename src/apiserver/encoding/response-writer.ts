import type { ServerResponse } from 'node:http'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { ApiRequest, ApiResponse, WireWatchEvent } from '#api/meta/exchange.ts'
import type { StatusError } from '#api/meta/status.ts'
import { CacheWatcher } from '../cache/cache-watcher.ts'
import type { ObjectCodec } from '../cache/object-codec.ts'
import { inOnePiece, JsonEncoder, type EncodedList } from './json-encoder.ts'
import { ProtobufEncoder } from './protobuf-encoder.ts'

/** Writes answers to sockets, of HTTP/1.1 and, by Node's compatibility API, of HTTP/2: the only place where objects become bytes for clients. */
export class ResponseWriter {
  readonly #json: JsonEncoder
  readonly #protobuf = new ProtobufEncoder()
  /** Memory that large lists are written through, kept for the next ones. */
  readonly #scratch: Buffer[] = []

  constructor(codec: ObjectCodec) {
    this.#json = new JsonEncoder(codec)
  }

  /** The answer to a request that could not be read. */
  failure(error: StatusError): ApiResponse {
    const headers = { 'content-type': 'application/json', connection: 'close' }
    return { status: error.code, headers, body: { type: 'object', object: error.toStatus() } }
  }

  async write(request: ApiRequest | undefined, response: ApiResponse, outgoing: ServerResponse): Promise<void> {
    const { body } = response
    switch (body.type) {
      case 'none':
        outgoing.writeHead(response.status, headersFor(response, outgoing))
        outgoing.end()
        return
      case 'bytes':
        return end(response, body.bytes, outgoing)
      case 'object':
        return this.#writeObject(request, response, body.object, outgoing)
      case 'watch':
        return this.#writeWatch(response, body.events, outgoing)
      case 'stream':
        outgoing.writeHead(response.status, headersFor(response, outgoing))
        flush(outgoing)
        for await (const chunk of body.chunks) await send(outgoing, chunk)
        outgoing.end()
    }
  }

  async #writeObject(
    request: ApiRequest | undefined,
    response: ApiResponse,
    object: object,
    outgoing: ServerResponse,
  ): Promise<void> {
    if (isProtobuf(response)) return endCompressed(request, response, this.#protobuf.encode(object), outgoing)
    if (response.headers['content-type'] === 'application/yaml') {
      return endCompressed(request, response, await this.#yamlOf(object), outgoing)
    }
    if (isPretty(request)) return endCompressed(request, response, this.#json.encodePretty(object), outgoing)
    const list = this.#json.encodeList(object)
    if (list === undefined) return endCompressed(request, response, this.#json.encode(object), outgoing)
    const isLarge = list.byteLength >= compressFrom
    if (isLarge && !takesGzip(request)) return this.#writeList(response, list, outgoing)
    return endCompressed(request, response, inOnePiece(list), outgoing)
  }

  async #writeList(response: ApiResponse, list: EncodedList, outgoing: ServerResponse): Promise<void> {
    const headers = { ...headersFor(response, outgoing), 'content-length': String(list.byteLength) }
    outgoing.writeHead(response.status, headers)
    const scratch = this.#scratch.pop() ?? Buffer.allocUnsafeSlow(scratchBytes)
    for (const piece of list.pieces(scratch)) await sendAll(outgoing, piece)
    outgoing.end()
    if (this.#scratch.length < spareScratches) this.#scratch.push(scratch)
  }

  async #yamlOf(object: object): Promise<Uint8Array> {
    const { formatYaml } = await import('#lib/yaml.ts')
    return Buffer.from(formatYaml(JSON.parse(Buffer.from(this.#json.encode(object)).toString())))
  }

  async #writeWatch(
    response: ApiResponse,
    events: AsyncIterable<WireWatchEvent>,
    outgoing: ServerResponse,
  ): Promise<void> {
    outgoing.writeHead(response.status, headersFor(response, outgoing))
    flush(outgoing)
    const encoder = isProtobuf(response) ? this.#protobuf : this.#json
    if (events instanceof CacheWatcher) {
      for (let batch = await events.takeAll(); batch !== undefined; batch = await events.takeAll()) {
        await send(outgoing, Buffer.concat(batch.map((event) => encoder.encodeEvent(event))))
      }
    } else for await (const event of events) await send(outgoing, encoder.encodeEvent(event))
    outgoing.end()
  }
}

const scratchBytes = 128 * 1_024
const spareScratches = 16

function isProtobuf({ headers }: ApiResponse): boolean {
  return headers['content-type']?.startsWith('application/vnd.kubernetes.protobuf') ?? false
}

/** Upstream indents for people: when asked, or for the usual command-line and desktop browsers. */
function isPretty(request: ApiRequest | undefined): boolean {
  if (request === undefined) return false
  const asked = request.query.get('pretty') ?? ''
  if (asked !== '') return yes.has(asked)
  const userAgent = request.headers['user-agent'] ?? ''
  return browsers.some((name) => userAgent.startsWith(name))
}

const yes: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const browsers = ['curl', 'Wget', 'Mozilla/5.0']

function end(response: ApiResponse, bytes: Uint8Array, outgoing: ServerResponse): void {
  const headers = { ...headersFor(response, outgoing), 'content-length': String(bytes.byteLength) }
  outgoing.writeHead(response.status, headers)
  if (bytes.byteLength > oneWriteBytes) outgoing.end(bytes)
  // As text of one byte a character the body leaves with the head in one piece, which saves a write to the socket.
  else outgoing.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'), 'latin1')
}

const oneWriteBytes = 16 * 1_024

/** Upstream compresses from this size on. */
const compressFrom = 128 * 1_024
const compress = promisify(gzip)

function takesGzip(request: ApiRequest | undefined): boolean {
  return request?.headers['accept-encoding']?.includes('gzip') ?? false
}

/** Large answers are compressed off the main thread, for clients that take gzip. */
async function endCompressed(
  request: ApiRequest | undefined,
  response: ApiResponse,
  bytes: Uint8Array,
  outgoing: ServerResponse,
): Promise<void> {
  if (bytes.byteLength < compressFrom || !takesGzip(request)) return end(response, bytes, outgoing)
  const compressed = await compress(bytes, { level: constants.Z_BEST_SPEED })
  const headers = { ...response.headers, 'content-encoding': 'gzip', vary: 'Accept-Encoding' }
  end({ ...response, headers }, compressed, outgoing)
}

/** Where one `Warning` ends and the next begins: each gets a line of its own, as some clients want it. */
const betweenWarnings = /, (?=299 - ")/

/** HTTP/2 has no connection headers. */
function headersFor({ headers }: ApiResponse, outgoing: ServerResponse): Record<string, string | string[]> {
  const { connection, warning, ...rest } = headers
  const isHttp1 = outgoing.req.httpVersionMajor === 1
  const sent: Record<string, string | string[]> = { 'cache-control': 'no-cache, private', ...rest }
  if (warning !== undefined) sent['warning'] = warning.split(betweenWarnings)
  if (connection !== undefined && isHttp1) sent['connection'] = connection
  return sent
}

function flush(outgoing: ServerResponse): void {
  outgoing.flushHeaders()
}

/** Writes and waits until the bytes have left this process, so that their memory may be used again. */
function sendAll(outgoing: ServerResponse, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error('the client closed the connection'))
    if (outgoing.destroyed) return onClose()
    outgoing.once('close', onClose)
    outgoing.write(chunk, () => {
      outgoing.off('close', onClose)
      resolve()
    })
  })
}

/** Writes and waits until the socket takes more; a closed socket ends the caller's loop by throwing. */
async function send(outgoing: ServerResponse, chunk: Uint8Array): Promise<void> {
  const write = outgoing.write(chunk)
  if (write || outgoing.writableEnded) return
  const closed = new AbortController()
  const onClose = (): void => closed.abort(new Error('the client closed the connection'))
  outgoing.once('close', onClose)
  try {
    await once(outgoing, 'drain', { signal: closed.signal })
  } finally {
    outgoing.off('close', onClose)
  }
}
