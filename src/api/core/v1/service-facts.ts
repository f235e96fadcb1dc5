import type { Service } from '../../types/core.v1.ts'

/** `clusterIP: None`: DNS answers with the pods themselves. */
export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIPs?.[0] === 'None' || spec.clusterIP === 'None'
}

/** The virtual addresses, the primary one first; none for headless and external services. */
export function clusterIps({ spec }: Service): readonly string[] {
  const ips = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP])
  return ips.filter((ip) => ip !== '' && ip !== 'None')
}

/** Traffic may come in from outside the cluster, so `externalTrafficPolicy` has a meaning. */
export function isExternallyAccessible({ spec }: Pick<Service, 'spec'>): boolean {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') return true
  return spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0
}

/** Ports of the nodes are taken for the service. */
export function needsNodePorts({ spec }: Pick<Service, 'spec'>): boolean {
  return spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
}

/** A load balancer asks the nodes by HTTP which of them have ready pods. */
export function needsHealthCheckNodePort({ spec }: Pick<Service, 'spec'>): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'
}
