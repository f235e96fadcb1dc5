import type { GrpcConnection } from './grpc-connection.ts'
import type { RuntimeEvent } from './runtime.ts'

/**
 * State changes from containerd's own event service, which containerd 1.6 and 2 both have on the socket that serves CRI
 * (CRI's event stream exists from 2.0 on only, and says no more). Task ids are the ids of containers and sandboxes.
 */
export async function* containerdEvents(grpc: GrpcConnection, signal: AbortSignal): AsyncIterable<RuntimeEvent> {
  const [{ Events, TaskEventSchema }, { fromBinary }] = await Promise.all([
    import('./generated/containerd-events_pb.ts'),
    import('@bufbuild/protobuf'),
  ])
  const filters = ['namespace==k8s.io,topic=="/tasks/exit"', 'namespace==k8s.io,topic=="/tasks/oom"']
  const envelopes = grpc.serverStream(Events.method.subscribe, { filters }, { signal })
  yield {}
  for await (const { event, topic } of envelopes) {
    if (event === undefined) continue
    const { containerId, id } = fromBinary(TaskEventSchema, event.value)
    // The exit of a process that was started by exec carries its own id beside the container's.
    if (topic === '/tasks/exit' && id !== containerId) continue
    yield { id: containerId }
  }
}
