import { endpointSlices, namespaces, services } from '#api/types/resources.ts'
import type { Informers } from '#client/informer.ts'
import type { ClusterView } from './records.ts'

/** The name server's view of the cluster, answered from the process's shared informers. */
export function clusterView(informers: Informers): ClusterView {
  const namespaceInformer = informers.of(namespaces)
  const serviceInformer = informers.of(services)
  const sliceInformer = informers.of(endpointSlices)
  const slicesByService = sliceInformer.index('service', ({ metadata }) => [
    `${metadata.namespace}/${metadata.labels?.['kubernetes.io/service-name'] ?? ''}`,
  ])
  const slicesByAddress = sliceInformer.index('address', ({ endpoints }) =>
    (endpoints ?? []).flatMap(({ addresses }) => addresses),
  )
  const servicesByAddress = serviceInformer.index('clusterIP', ({ spec }) =>
    spec.clusterIP === undefined || spec.clusterIP === 'None' ? [] : [spec.clusterIP],
  )
  return {
    hasNamespace: (name) => namespaceInformer.get(name) !== undefined,
    service: (namespace, name) => serviceInformer.get(name, namespace),
    slices: (namespace, name) => slicesByService(`${namespace}/${name}`),
    servicesAt: (address) => servicesByAddress(address),
    slicesAt: (address) => slicesByAddress(address),
  }
}
