import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { create, fromBinary, toBinary, type DescMethod, type MessageInitShape } from '@bufbuild/protobuf'
import grpc from '@grpc/grpc-js'
import { connectGrpc } from '../cri/grpc-connection.ts'
import * as messages from './generated/device-plugin_pb.ts'

export interface TestPluginOptions {
  readonly folder: string
  readonly resource: string
  readonly devices: readonly { readonly id: string; readonly healthy?: boolean; readonly numa?: number }[]
  /** Which devices it would rather give. */
  readonly prefers?: (available: readonly string[], size: number) => readonly string[]
  readonly version?: string
  /** A file of the host that containers see as `/etc/vendor`; default `/opt/vendor`. */
  readonly file?: string
}

/** A device plugin as a vendor writes one, over real sockets. */
export interface TestPlugin {
  /** What was asked of it: `allocate a,b`, `preStart a`. */
  readonly calls: readonly string[]
  tell(devices: TestPluginOptions['devices']): void
  stop(): Promise<void>
}

/** Serves and registers; rejects with what the kubelet says when it does not take it. */
export async function startTestPlugin(options: TestPluginOptions): Promise<TestPlugin> {
  const { folder, resource, prefers } = options
  const { DevicePlugin, Registration } = messages
  const calls: string[] = []
  const streams = new Set<grpc.ServerWritableStream<unknown, unknown>>()
  const server = new grpc.Server()
  const path = (method: DescMethod): string => `/${method.parent.typeName}/${method.name}`
  const method = (descriptor: DescMethod, responseStream = false): grpc.MethodDefinition<object, object> => ({
    path: path(descriptor),
    requestStream: false,
    responseStream,
    requestSerialize: (value) => Buffer.from(toBinary(descriptor.input, value as never)),
    requestDeserialize: (bytes) => fromBinary(descriptor.input, bytes),
    responseSerialize: (value) =>
      Buffer.from(toBinary(descriptor.output, create(descriptor.output, value as Record<string, unknown>))),
    responseDeserialize: (bytes) => fromBinary(descriptor.output, bytes),
  })
  let devices = options.devices
  const list = (): MessageInitShape<typeof messages.ListAndWatchResponseSchema> => ({
    devices: devices.map(({ id, healthy = true, numa }) => ({
      id,
      health: healthy ? 'Healthy' : 'Unhealthy',
      ...(numa !== undefined && { topology: { nodes: [{ id: BigInt(numa) }] } }),
    })),
  })
  server.addService(
    {
      ListAndWatch: method(DevicePlugin.method.listAndWatch, true),
      Allocate: method(DevicePlugin.method.allocate),
      PreStartContainer: method(DevicePlugin.method.preStartContainer),
      GetPreferredAllocation: method(DevicePlugin.method.getPreferredAllocation),
    },
    {
      ListAndWatch(call: grpc.ServerWritableStream<unknown, unknown>) {
        streams.add(call)
        call.write(list())
      },
      Allocate({ request }: { request: messages.AllocateRequest }, answer: (error: null, value: object) => void) {
        const ids = request.containerRequests[0]?.deviceIds ?? []
        calls.push(`allocate ${ids.join(',')}`)
        const granted = {
          envs: { DEVICES: ids.join(',') },
          mounts: [{ containerPath: '/etc/vendor', hostPath: options.file ?? '/opt/vendor', readOnly: true }],
          devices: ids.map((id) => ({ containerPath: `/dev/${id}`, hostPath: '/dev/null', permissions: 'rw' })),
          annotations: { 'vendor.example/devices': ids.join(',') },
        }
        answer(null, { containerResponses: [granted] })
      },
      PreStartContainer(
        { request }: { request: messages.PreStartContainerRequest },
        answer: (error: null, value: object) => void,
      ) {
        calls.push(`preStart ${request.deviceIds.join(',')}`)
        answer(null, {})
      },
      GetPreferredAllocation(
        { request }: { request: messages.PreferredAllocationRequest },
        answer: (error: null, value: object) => void,
      ) {
        const [asked] = request.containerRequests
        const deviceIds = prefers?.(asked?.availableDeviceIds ?? [], asked?.allocationSize ?? 0) ?? []
        answer(null, { containerResponses: [{ deviceIds: [...deviceIds] }] })
      },
    },
  )
  const endpoint = `${randomUUID()}.sock`
  await new Promise<void>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure()
    server.bindAsync(`unix://${join(folder, endpoint)}`, credentials, (error) => (error ? reject(error) : resolve()))
  })
  const stop = async (): Promise<void> => server.forceShutdown()
  const kubelet = await connectGrpc(join(folder, 'kubelet.sock'))
  try {
    const wants = { preStartRequired: true, getPreferredAllocationAvailable: prefers !== undefined }
    const request = { version: options.version ?? 'v1beta1', endpoint, resourceName: resource, options: wants }
    await kubelet.unary(Registration.method.register, request)
  } catch (error) {
    await stop()
    throw error
  } finally {
    kubelet.close()
  }
  return {
    calls,
    tell(now) {
      devices = now
      for (const stream of streams) stream.write(list())
    },
    stop,
  }
}
