import { isDeepStrictEqual } from 'node:util'
import { isNodeReady, nodeAddress } from '#api/core/v1/node-facts.ts'
import { keyOf } from '#api/meta/resource.ts'
import type { Node } from '#api/types/core.v1.ts'
import { endpointSlices, nodes, services } from '#api/types/resources.ts'
import { defineController, watchOf, type Controller } from '#reconcile/controller.ts'
import { clusterDnsName, clusterDnsService, clusterDnsSlice, type ClusterDnsOptions } from './decide.ts'

const key = `${clusterDnsName.namespace}/${clusterDnsName.name}`

/** Keeps the kube-dns Service and its endpoints: every node runs a name server of its own. */
export function clusterDnsController(options: ClusterDnsOptions): Controller {
  const onlyOurs = (object: Parameters<typeof keyOf>[0]): string[] => (keyOf(object) === key ? [key] : [])
  return defineController({
    name: 'cluster-dns-controller',
    watches: [
      watchOf(nodes, (node, _context, previous) => (previous && isAlike(node, previous) ? [] : [key])),
      watchOf(services, onlyOurs),
      watchOf(endpointSlices, onlyOurs),
    ],
    writes: [
      { resource: services, verbs: ['create'] },
      { resource: endpointSlices, verbs: ['create', 'update'] },
    ],
    async reconcile(_key, { client, informers }) {
      const { name, namespace } = clusterDnsName
      if (!informers.of(services).get(name, namespace)) {
        await client.resource(services, namespace).create(clusterDnsService(options))
      }
      const slices = client.resource(endpointSlices, namespace)
      const wanted = clusterDnsSlice(informers.of(nodes).list(), options)
      const found = informers.of(endpointSlices).get(name, namespace)
      if (!found) await slices.create(wanted)
      else if (!isDeepStrictEqual(found.endpoints ?? [], wanted.endpoints)) {
        await slices.update({ ...found, endpoints: wanted.endpoints, ports: wanted.ports })
      }
    },
  })
}

/** Beats of a node change nothing here: its address and whether it is ready count. */
function isAlike(a: Node, b: Node): boolean {
  return a.metadata.uid === b.metadata.uid && nodeAddress(a) === nodeAddress(b) && isNodeReady(a) === isNodeReady(b)
}
