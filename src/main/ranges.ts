/** The address ranges and well-known addresses of every cluster; upstream's customary ones. */
export const ranges = {
  clusterCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/12',
  /** First of the service range: the Service `default/kubernetes`. */
  kubernetesService: '10.96.0.1',
  dnsService: '10.96.0.10',
  clusterDomain: 'cluster.local',
  /** Where each node's name server listens, on the node's own address. */
  dnsPort: 10_053,
  kubeletPort: 10_250,
} as const
