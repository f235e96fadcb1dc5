import { leases, namespaces, nodes } from '#api/types/resources.ts'
import { formatMicroTime, formatTime } from '#lib/clock.ts'
import type { SmallCluster } from './small-cluster.ts'

/** Renews the leases of the named nodes, as their kubelets do every ten seconds. */
export type Beat = (...names: string[]) => Promise<void>

/** Nodes that report as kubelets do: `beat` renews the leases of those that are alive. */
export async function nodesOf(cluster: SmallCluster, ...names: string[]): Promise<Beat> {
  const { client, clock } = cluster
  const all = await client.resource(namespaces).list()
  if (!all.items.some(({ metadata }) => metadata.name === 'kube-node-lease')) {
    await client.resource(namespaces).create({ metadata: { name: 'kube-node-lease' }, spec: {} })
  }
  for (const name of names) {
    await client.resource(nodes).create({ metadata: { name }, spec: {} })
    const now = formatTime(clock.now())
    const ready = { type: 'Ready', status: 'True', lastHeartbeatTime: now, lastTransitionTime: now }
    const patch = { status: { conditions: [ready] } }
    await client.resource(nodes).patch(name, { type: 'strategic', patch }, { subresource: 'status' })
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: formatMicroTime(clock.now()) }
    await client.resource(leases, 'kube-node-lease').create({ metadata: { name }, spec })
  }
  return async (...alive) => {
    for (const name of alive) {
      const patch = { spec: { renewTime: formatMicroTime(clock.now()) } }
      await client.resource(leases, 'kube-node-lease').patch(name, { type: 'merge', patch })
    }
  }
}
