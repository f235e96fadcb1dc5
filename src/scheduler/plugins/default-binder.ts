import { pods } from '#api/types/resources.ts'
import { definePlugin } from '../framework.ts'

/** Binds a pod by the API: its subresource `binding` sets the node and the condition `PodScheduled`. */
export const defaultBinder = definePlugin({
  name: 'DefaultBinder',
  async bind({ pod }, node, { client }) {
    const { name, namespace = '', uid } = pod.metadata
    const metadata = { name, namespace, uid }
    const target = { apiVersion: 'v1', kind: 'Node', name: node.metadata.name }
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata, target }
    await client.resource(pods, namespace).createSubresource(name, 'binding', binding)
    return 'bound'
  },
  helpedBy: () => false,
})
