import type { BootstrapObject } from '#apiserver/bootstrap/bootstrap-store.ts'
import { clusterRoleBindings, clusterRoles } from '#api/types/resources.ts'
import type { PolicyRule, Subject } from '#api/types/rbac.v1.ts'

const apiGroup = 'rbac.authorization.k8s.io'
const read = ['get', 'list', 'watch']

/** Rights of the parts that Kubernetes' own bootstrap roles do not know. */
export function ownRoles(): readonly BootstrapObject[] {
  const dnsAccount = { kind: 'ServiceAccount', name: 'cluster-dns-controller', namespace: 'kube-system' }
  return [
    ...grant('coracle:node-network', nodeNetworkRules, [
      { kind: 'User', apiGroup, name: 'system:kube-proxy' },
      { kind: 'Group', apiGroup, name: 'system:nodes' },
    ]),
    ...grant('coracle:cluster-dns-controller', clusterDnsRules, [dnsAccount]),
  ]
}

/** A node's service proxy and name server follow services, endpoints and namespaces. */
const nodeNetworkRules: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['services', 'namespaces', 'nodes'], verbs: read },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
]

const clusterDnsRules: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['services'], verbs: ['create'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['create', 'update'] },
]

function grant(name: string, rules: readonly PolicyRule[], subjects: readonly Subject[]): BootstrapObject[] {
  const metadata = { name, labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } }
  const role = { apiVersion: `${apiGroup}/v1`, kind: 'ClusterRole', metadata, rules }
  const roleRef = { apiGroup, kind: 'ClusterRole', name }
  const binding = { apiVersion: `${apiGroup}/v1`, kind: 'ClusterRoleBinding', metadata, roleRef, subjects }
  return [
    { resource: clusterRoles, object: role },
    { resource: clusterRoleBindings, object: binding },
  ]
}
