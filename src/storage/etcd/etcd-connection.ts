import { isIP } from 'node:net'
import { checkServerIdentity as identityError, type PeerCertificate } from 'node:tls'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import { Client, connectivityState, credentials, Metadata } from '@grpc/grpc-js'
import type { ClientOptions, ServiceError } from '@grpc/grpc-js'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { StoreUnavailableError } from '../store.ts'
import type { EtcdEndpoints } from './etcd-endpoints.ts'
import { EtcdError, etcdErrorOf } from './etcd-error.ts'
import { Watch, type WatchCreateRequestSchema, type WatchResponse } from './generated/etcd_pb.ts'

/** PEM texts: whom to trust, and who we are. */
export interface EtcdTls {
  /** Absent: the authorities that Node trusts. */
  readonly ca?: string
  readonly certificate?: string
  readonly key?: string
}

export interface EtcdConnectionOptions {
  readonly endpoints: EtcdEndpoints
  readonly tls?: EtcdTls
  readonly clock: Clock
  readonly log: Log
}

type Unary<Input extends DescMessage, Output extends DescMessage> = DescMethod & {
  readonly methodKind: 'unary'
  readonly input: Input
  readonly output: Output
}

/**
 * Calls to one etcd cluster. One member is used for everything until it fails, then the next: what this process reads
 * and watches comes from one place. Errors are `EtcdError`s, and `StoreUnavailableError` once all patience is spent.
 */
export interface EtcdConnection {
  /** Makes a call that may be made twice: other members are asked when one does not answer. */
  ask<I extends DescMessage, O extends DescMessage>(
    method: Unary<I, O>,
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>>
  /** Makes a call that changes something: once it may have been heard it is not repeated. */
  tell<I extends DescMessage, O extends DescMessage>(
    method: Unary<I, O>,
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>>
  /** One watch stream to one member, until it breaks (an `EtcdError`) or the signal aborts (it then ends). */
  watch(request: MessageInitShape<typeof WatchCreateRequestSchema>, signal: AbortSignal): AsyncIterable<WatchResponse>
  close(): void
}

/** How long one call waits in all, and how long one member has to answer what may be asked elsewhere. */
const patienceMs = 10_000
const attemptMs = 4_000
/** How long a member has to take a connection before the next is tried. */
const connectMs = 1_000
const retryPauseMs = 50
/** Far above what etcd takes in one request (1.5 MiB); long lists are read in pages that shrink to fit. */
const maxMessageBytes = 64 << 20

const channelOptions: ClientOptions = {
  'grpc.max_receive_message_length': maxMessageBytes,
  'grpc.max_send_message_length': maxMessageBytes,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // A member that vanished without closing its connections is noticed by silence.
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_retries': 0,
}

/** Connects on the first call. */
export function connectEtcd(options: EtcdConnectionOptions): EtcdConnection {
  return new Connection(options)
}

interface Codec<I extends DescMessage, O extends DescMessage> {
  readonly path: string
  readonly encode: (message: MessageShape<I>) => Buffer
  readonly decode: (bytes: Buffer) => MessageShape<O>
}

class Connection implements EtcdConnection {
  readonly #options: EtcdConnectionOptions
  readonly #clients: readonly Client[]
  readonly #codecs = new Map<DescMethod, unknown>()
  /** The member in use. */
  #current = 0

  constructor(options: EtcdConnectionOptions) {
    this.#options = options
    this.#clients = options.endpoints.addresses.map((address) => newClient(address, options))
  }

  async ask<I extends DescMessage, O extends DescMessage>(
    method: Unary<I, O>,
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>> {
    return this.#untilAnswered(
      (deadlineMs) => this.#call(method, request, deadlineMs, attemptMs),
      (error) => error.isPassing,
    )
  }

  async tell<I extends DescMessage, O extends DescMessage>(
    method: Unary<I, O>,
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>> {
    return this.#untilAnswered((deadlineMs) => this.#call(method, request, deadlineMs, patienceMs), isUnheard)
  }

  async *watch(
    request: MessageInitShape<typeof WatchCreateRequestSchema>,
    signal: AbortSignal,
  ): AsyncGenerator<WatchResponse, void, void> {
    const { clock } = this.#options
    const position = await this.#connect(clock.monotonic() + connectMs * this.#clients.length)
    if (signal.aborted) return
    const { path, encode, decode } = this.#codecOf(Watch.method.watch)
    const call = this.#clientAt(position).makeBidiStreamRequest(path, encode, decode, metadata())
    const onAbort = (): void => call.cancel()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      // Never ended from this side: etcd takes that for the end of the watch.
      const first = { request: { case: 'createRequest', value: request } } as const
      call.write(create(Watch.method.watch.input, first))
      for await (const response of call) yield response as WatchResponse
      throw new EtcdError('unavailable', 'the watch stream ended')
    } catch (error) {
      if (signal.aborted) return
      const failure = error instanceof EtcdError ? error : etcdErrorOf(error as ServiceError)
      if (failure.isPassing) this.#leave(position, failure)
      throw failure
    } finally {
      signal.removeEventListener('abort', onAbort)
      call.on('error', () => undefined)
      call.cancel()
    }
  }

  close(): void {
    for (const client of this.#clients) client.close()
  }

  /** Repeats an attempt as long as its failure allows that and there is time. */
  async #untilAnswered<T>(
    attempt: (deadlineMs: number) => Promise<T>,
    mayRepeat: (error: EtcdError) => boolean,
  ): Promise<T> {
    const { clock } = this.#options
    const deadlineMs = clock.monotonic() + patienceMs
    for (;;) {
      try {
        return await attempt(deadlineMs)
      } catch (error) {
        if (!(error instanceof EtcdError) || !error.isPassing) throw error
        if (!mayRepeat(error) || clock.monotonic() + retryPauseMs >= deadlineMs) {
          throw new StoreUnavailableError(error.message, error)
        }
      }
      await clock.sleep(retryPauseMs)
    }
  }

  async #call<I extends DescMessage, O extends DescMessage>(
    method: Unary<I, O>,
    request: MessageInitShape<I>,
    deadlineMs: number,
    timeoutMs: number,
  ): Promise<MessageShape<O>> {
    const { clock } = this.#options
    const position = await this.#connect(deadlineMs)
    const { path, encode, decode } = this.#codecOf(method)
    const leftMs = Math.min(timeoutMs, Math.max(1, deadlineMs - clock.monotonic()))
    const { promise, resolve, reject } = Promise.withResolvers<MessageShape<O>>()
    this.#clientAt(position).makeUnaryRequest(
      path,
      encode,
      decode,
      create(method.input, request),
      metadata(),
      { deadline: clock.now() + leftMs },
      (error: ServiceError | null, answer?: MessageShape<O>) => {
        if (error === null) return resolve(answer as MessageShape<O>)
        const failure = etcdErrorOf(error)
        if (failure.isPassing) this.#leave(position, failure)
        reject(failure)
      },
    )
    return promise
  }

  /** The position of a member that has taken a connection: nothing has been sent to any when this fails. */
  async #connect(deadlineMs: number): Promise<number> {
    const { clock } = this.#options
    for (;;) {
      const position = this.#current
      const client = this.#clientAt(position)
      if (client.getChannel().getConnectivityState(true) === connectivityState.READY) return position
      const waitMs = Math.max(1, Math.min(connectMs, deadlineMs - clock.monotonic()))
      const error = await ready(client, clock.now() + waitMs)
      if (error === undefined) return position
      const address = this.#options.endpoints.addresses[position]
      this.#leave(position, new EtcdError('unavailable', `no connection to ${address}`, error))
      if (clock.monotonic() >= deadlineMs) {
        throw new StoreUnavailableError(`no connection to ${this.#options.endpoints.addresses.join(', ')}`, error)
      }
    }
  }

  #clientAt(position: number): Client {
    return this.#clients[position] as Client
  }

  /** Goes on with the next member, unless somebody has done so already. */
  #leave(position: number, { message }: EtcdError): void {
    if (this.#current !== position || this.#clients.length === 1) return
    const { endpoints, log } = this.#options
    this.#current = (position + 1) % this.#clients.length
    log.warn('An etcd member does not answer, trying the next', { address: endpoints.addresses[position], message })
  }

  #codecOf<I extends DescMessage, O extends DescMessage>(
    method: DescMethod & { readonly input: I; readonly output: O },
  ): Codec<I, O> {
    const known = this.#codecs.get(method) as Codec<I, O> | undefined
    if (known !== undefined) return known
    const codec: Codec<I, O> = {
      path: `/${method.parent.typeName}/${method.name}`,
      encode(message) {
        const { buffer, byteOffset, byteLength } = toBinary(method.input, message)
        return Buffer.from(buffer, byteOffset, byteLength)
      },
      // Values of the answer are views into its bytes.
      decode: (bytes) => fromBinary(method.output, bytes, { readUnknownFields: false }),
    }
    this.#codecs.set(method, codec)
    return codec
  }
}

function newClient(address: string, { endpoints, tls = {} }: EtcdConnectionOptions): Client {
  if (!endpoints.isSecure) return new Client(address, credentials.createInsecure(), channelOptions)
  const pem = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text))
  const host = address.slice(0, address.lastIndexOf(':')).replaceAll(/[[\]]/g, '')
  // TLS has no way to ask for an address by name (RFC 6066): the certificate is checked for it all the same.
  const isAddress = isIP(host) !== 0
  const checks = isAddress
    ? { checkServerIdentity: (_: string, peer: PeerCertificate) => identityError(host, peer) }
    : {}
  const channel = credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.certificate), checks)
  return new Client(address, channel, {
    ...channelOptions,
    ...(isAddress && { 'grpc.ssl_target_name_override': 'etcd' }),
  })
}

/** A member that has lost the others refuses to answer instead of leaving us waiting. */
function metadata(): Metadata {
  const given = new Metadata()
  given.set('hasleader', 'true')
  return given
}

/** Whether etcd certainly did nothing. */
function isUnheard(error: EtcdError): boolean {
  return error.reason === 'no-leader' || error.message.startsWith('No connection established')
}

function ready(client: Client, deadline: number): Promise<Error | undefined> {
  const { promise, resolve } = Promise.withResolvers<Error | undefined>()
  client.waitForReady(deadline, resolve)
  return promise
}
