import type { DescMessage, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import grpc from '@grpc/grpc-js'

/** What one call of a service is answered with. */
export type Answer<Input extends DescMessage, Output extends DescMessage> = (
  request: MessageShape<Input>,
) => Promise<MessageInitShape<Output>> | MessageInitShape<Output>

/** The calls of a service that are served; the others answer `Unimplemented`. */
export type Answers<Service extends DescService> = {
  readonly [Name in keyof Service['method']]?: Answer<
    Service['method'][Name]['input'],
    Service['method'][Name]['output']
  >
}

/** A refusal with a code of gRPC's. */
export class GrpcError extends Error {
  readonly code: number
  constructor(code: keyof typeof grpc.status, message: string) {
    super(message)
    this.code = grpc.status[code] as unknown as number
  }
}

/** Adds a service, described by protobuf-es, to a server. `onCall` hears of every call, and may hold its answer up. */
export function addService<Service extends DescService>(
  server: grpc.Server,
  service: Service,
  answers: Answers<Service>,
  onCall: (name: string, request: unknown) => void | Promise<void> = () => undefined,
): void {
  const definition: Record<string, grpc.MethodDefinition<unknown, unknown>> = {}
  const handlers: grpc.UntypedServiceImplementation = {}
  for (const method of service.methods) {
    const answer = (answers as Record<string, Answer<DescMessage, DescMessage> | undefined>)[method.localName]
    if (answer === undefined) continue
    definition[method.localName] = {
      path: `/${service.typeName}/${method.name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: () => Buffer.alloc(0),
      requestDeserialize: (bytes) => fromBinary(method.input, bytes),
      responseSerialize: (message) => Buffer.from(toBinary(method.output, message as MessageShape<DescMessage>)),
      responseDeserialize: () => undefined,
    }
    const handle = async (request: MessageShape<DescMessage>): Promise<MessageShape<DescMessage>> => {
      await onCall(method.name, request)
      return create(method.output, await answer(request)) as MessageShape<DescMessage>
    }
    handlers[method.localName] = (
      call: grpc.ServerUnaryCall<MessageShape<DescMessage>, unknown>,
      reply: grpc.sendUnaryData<unknown>,
    ) => {
      handle(call.request).then(
        (message) => reply(null, message),
        (error: unknown) => reply({ code: (error as GrpcError).code ?? 13, details: (error as Error).message }),
      )
    }
  }
  server.addService(definition, handlers)
}

/** Serves on a Unix socket. */
export async function listenOn(server: grpc.Server, socketPath: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.bindAsync(`unix://${socketPath}`, grpc.ServerCredentials.createInsecure(), (error) =>
    error ? reject(error) : resolve(),
  )
  await promise
}
