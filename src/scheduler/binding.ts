import { isStatusError } from '#api/meta/status.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import { pods } from '#api/types/resources.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Log } from '#lib/log.ts'
import type { BindContext } from './framework.ts'
import type { Profile } from './profile.ts'

export type BindResult = 'bound' | 'gone' | 'failed'

interface Binding extends BindContext {
  readonly events: EventRecorder
  readonly log: Log
}

/** Binds the pod to the node, after what plugins have to do before. Never rejects. */
export async function bind(pod: Pod, node: Node, profile: Profile, context: Binding): Promise<BindResult> {
  const { client, events, log } = context
  const { name, namespace = '', uid } = pod.metadata
  const nodeName = node.metadata.name
  const target = { apiVersion: 'v1', kind: 'Node', name: nodeName }
  const metadata = { name, namespace, uid }
  try {
    for (const plugin of profile.plugins) if (plugin.beforeBind) await plugin.beforeBind(pod, node, context)
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata, target }
    await client.resource(pods, namespace).createSubresource(name, 'binding', binding)
    events.record(pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${nodeName}`)
    return 'bound'
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return 'gone'
    // A conflict means that the pod changed meanwhile: the watch tells what became of it.
    if (!isStatusError(error, 'Conflict') && !context.signal.aborted) {
      log.warn('A pod could not be bound', { pod: `${namespace}/${name}`, error })
    }
    return 'failed'
  }
}
