import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import type { ServiceError } from '@grpc/grpc-js'
import { systemClock } from '#lib/clock.ts'
import { RuntimeError, type RuntimeErrorCode } from './runtime.ts'

/** gRPC calls over one Unix socket with protobuf-es messages. Errors are `RuntimeError`s. */
export interface GrpcConnection {
  unary<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethod & { readonly methodKind: 'unary'; readonly input: Input; readonly output: Output },
    request: MessageInitShape<Input>,
    options?: GrpcCallOptions,
  ): Promise<MessageShape<Output>>
  /** Yields the answers until the server ends the stream or the signal aborts; a broken stream throws. */
  serverStream<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethod & { readonly methodKind: 'server_streaming'; readonly input: Input; readonly output: Output },
    request: MessageInitShape<Input>,
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<MessageShape<Output>>
  /** What unary calls get that say nothing else. */
  readonly timeoutMs: number
  close(): void
}

export interface GrpcCallOptions {
  readonly signal?: AbortSignal
  /** Default that of the connection. 0: no limit. */
  readonly timeoutMs?: number
}

const maximumMessageBytes = 16 * 1024 * 1024

/** Connects on the first call. gRPC and protobuf are loaded here, not at start. */
export async function connectGrpc(socketPath: string, usualTimeoutMs = 120_000): Promise<GrpcConnection> {
  const [{ default: grpc }, protobuf] = await Promise.all([import('@grpc/grpc-js'), import('@bufbuild/protobuf')])
  const client = new grpc.Client(`unix://${socketPath}`, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': maximumMessageBytes,
    'grpc.max_send_message_length': maximumMessageBytes,
    // A runtime that restarts must be found again quickly; the socket is local, so retries are cheap.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 3_000,
  })
  const encodeWith =
    (schema: DescMessage) =>
    (message: MessageShape<DescMessage>): Buffer =>
      Buffer.from(protobuf.toBinary(schema, message))
  const decodeWith =
    <Output extends DescMessage>(schema: Output) =>
    (bytes: Buffer): MessageShape<Output> =>
      protobuf.fromBinary(schema, bytes)

  return {
    unary(method, request, options = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<MessageShape<typeof method.output>>()
      const timeoutMs = options.timeoutMs ?? usualTimeoutMs
      if (options.signal?.aborted) return Promise.reject(cancelled())
      const call = client.makeUnaryRequest(
        pathOf(method),
        encodeWith(method.input),
        decodeWith(method.output),
        protobuf.create(method.input, request) as MessageShape<DescMessage>,
        new grpc.Metadata(),
        timeoutMs === 0 ? {} : { deadline: systemClock.now() + timeoutMs },
        (error: ServiceError | null, answer?: MessageShape<typeof method.output>) => {
          options.signal?.removeEventListener('abort', onAbort)
          if (error) reject(runtimeErrorOf(error))
          else resolve(answer as MessageShape<typeof method.output>)
        },
      )
      const onAbort = (): void => call.cancel()
      options.signal?.addEventListener('abort', onAbort, { once: true })
      return promise
    },
    async *serverStream(method, request, { signal }) {
      const call = client.makeServerStreamRequest(
        pathOf(method),
        encodeWith(method.input),
        decodeWith(method.output),
        protobuf.create(method.input, request) as MessageShape<DescMessage>,
      )
      const onAbort = (): void => call.cancel()
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        for await (const message of call) yield message as MessageShape<typeof method.output>
      } catch (error) {
        if (!signal.aborted) throw runtimeErrorOf(error as ServiceError)
      } finally {
        signal.removeEventListener('abort', onAbort)
        call.cancel()
      }
    },
    timeoutMs: usualTimeoutMs,
    close: () => client.close(),
  }
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`
}

const codes: Readonly<Record<number, RuntimeErrorCode>> = {
  1: 'Cancelled',
  3: 'InvalidArgument',
  4: 'DeadlineExceeded',
  5: 'NotFound',
  6: 'AlreadyExists',
  7: 'PermissionDenied',
  8: 'ResourceExhausted',
  9: 'FailedPrecondition',
  10: 'Aborted',
  11: 'OutOfRange',
  12: 'Unimplemented',
  13: 'Internal',
  14: 'Unavailable',
  15: 'DataLoss',
  16: 'Unauthenticated',
}

function runtimeErrorOf(error: ServiceError): RuntimeError {
  return new RuntimeError(codes[error.code] ?? 'Unknown', error.details || error.message)
}

function cancelled(): RuntimeError {
  return new RuntimeError('Cancelled', 'context canceled')
}
