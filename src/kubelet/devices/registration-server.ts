import { rm } from 'node:fs/promises'
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import type { RegisterRequest } from './generated/device-plugin_pb.ts'

/** Serves the socket on which device plugins register. */
export interface RegistrationServer {
  close(): void
}

/** `register` throws with what the plugin is told when it is refused. */
export async function serveRegistration(
  socketPath: string,
  register: (request: RegisterRequest) => Promise<void>,
): Promise<RegistrationServer> {
  const [{ default: grpc }, protobuf, messages] = await Promise.all([
    import('@grpc/grpc-js'),
    import('@bufbuild/protobuf'),
    import('./generated/device-plugin_pb.ts'),
  ])
  const { EmptySchema, RegisterRequestSchema } = messages
  const empty = Buffer.from(protobuf.toBinary(EmptySchema, protobuf.create(EmptySchema)))
  const server = new grpc.Server({ 'grpc.max_receive_message_length': maximumMessageBytes })
  server.addService(
    {
      Register: {
        path: '/v1beta1.Registration/Register',
        requestStream: false,
        responseStream: false,
        requestSerialize: (request: RegisterRequest) => Buffer.from(protobuf.toBinary(RegisterRequestSchema, request)),
        requestDeserialize: (bytes: Buffer) => protobuf.fromBinary(RegisterRequestSchema, bytes),
        responseSerialize: (bytes: Buffer) => bytes,
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    },
    {
      Register(call: ServerUnaryCall<RegisterRequest, Buffer>, answer: sendUnaryData<Buffer>) {
        register(call.request).then(
          () => answer(null, empty),
          (error: unknown) =>
            answer({ code: grpc.status.UNKNOWN, details: error instanceof Error ? error.message : String(error) }),
        )
      },
    },
  )
  // A socket that an earlier run left would be in the way.
  await rm(socketPath, { force: true })
  await new Promise<void>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure()
    server.bindAsync(`unix://${socketPath}`, credentials, (error) => (error === null ? resolve() : reject(error)))
  })
  return { close: () => server.forceShutdown() }
}

const maximumMessageBytes = 64 * 1024
