import { isNodeReady, nodeAddress } from '#api/core/v1/node-facts.ts'
import type { New } from '#api/meta/resource.ts'
import type { Node, Service } from '#api/types/core.v1.ts'
import type { EndpointSlice } from '#api/types/discovery.v1.ts'

export interface ClusterDnsOptions {
  /** The service's fixed cluster IP, which every kubelet writes into its pods. */
  readonly clusterIP: string
  /** Where each node's name server listens. */
  readonly nodePort: number
}

export const clusterDnsName = { name: 'kube-dns', namespace: 'kube-system' } as const

const ports = [
  { name: 'dns', port: 53, protocol: 'UDP' },
  { name: 'dns-tcp', port: 53, protocol: 'TCP' },
] as const

/** The Service of the cluster's name servers. A pod asks the one on its own node. */
export function clusterDnsService({ clusterIP, nodePort }: ClusterDnsOptions): New<Service> {
  const labels = { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' }
  return {
    metadata: { ...clusterDnsName, labels },
    spec: {
      clusterIP,
      clusterIPs: [clusterIP],
      internalTrafficPolicy: 'Local',
      ports: ports.map((port) => ({ ...port, targetPort: nodePort })),
    },
  }
}

/** The slice that leads the Service to every node's name server. */
export function clusterDnsSlice(nodes: readonly Node[], { nodePort }: ClusterDnsOptions): New<EndpointSlice> {
  const endpoints = nodes.flatMap((node) => {
    const address = nodeAddress(node)
    const ready = isNodeReady(node)
    const conditions = { ready, serving: ready, terminating: false }
    return address === undefined ? [] : [{ addresses: [address], conditions, nodeName: node.metadata.name }]
  })
  return {
    metadata: {
      ...clusterDnsName,
      labels: {
        'kubernetes.io/service-name': clusterDnsName.name,
        'endpointslice.kubernetes.io/managed-by': 'cluster-dns.coracle.dev',
      },
    },
    addressType: 'IPv4',
    endpoints: endpoints.sort((a, b) => (a.nodeName < b.nodeName ? -1 : 1)),
    ports: ports.map(({ name, protocol }) => ({ name, protocol, port: nodePort })),
  }
}
