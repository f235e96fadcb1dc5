import type { BootstrapObject } from '#apiserver/bootstrap/bootstrap-store.ts'
import { explanationPrefix } from '#api/core/v1/scheduling-explanation.ts'
import { clusterRoleBindings, clusterRoles } from '#api/types/resources.ts'
import type { PolicyRule, Subject } from '#api/types/rbac.v1.ts'
import { identities } from './identities.ts'

const apiGroup = 'rbac.authorization.k8s.io'
const read = ['get', 'list', 'watch']

/** Rights of the parts that Kubernetes' own bootstrap roles do not know. */
export function ownRoles(): readonly BootstrapObject[] {
  const servingApprover = { kind: 'ServiceAccount', name: 'kubelet-serving-approver', namespace: 'kube-system' }
  const dnsAccount = { kind: 'ServiceAccount', name: 'cluster-dns-controller', namespace: 'kube-system' }
  const flowSchemaAccount = { kind: 'ServiceAccount', name: 'flow-schema-status-controller', namespace: 'kube-system' }
  const tokenAccount = { kind: 'ServiceAccount', name: 'service-account-token-controller', namespace: 'kube-system' }
  return [
    ...grant('coracle:node-network', nodeNetworkRules, [
      { kind: 'User', apiGroup, name: 'system:kube-proxy' },
      { kind: 'Group', apiGroup, name: 'system:nodes' },
    ]),
    ...grant('coracle:cluster-dns-controller', clusterDnsRules, [dnsAccount]),
    ...grant('coracle:kubelet-serving-approver', servingApproverRules, [servingApprover]),
    reader('coracle:scheduling-reader', [{ nonResourceURLs: [`${explanationPrefix}*`], verbs: ['get'] }]),
    ...grant('coracle:flow-schema-status-controller', flowSchemaRules, [flowSchemaAccount]),
    ...grant('coracle:service-account-token-controller', tokenSecretRules, [tokenAccount]),
    ...grant('coracle:resource-metrics', metricsRules, [{ kind: 'User', apiGroup, name: identities.metrics.name }]),
    ...joinBindings(),
  ]
}

/** A node's service proxy and name server follow services, endpoints and namespaces. */
const nodeNetworkRules: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['services', 'namespaces', 'nodes'], verbs: read },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
]

/** What the metrics API reads: who is there, and what kubelets measure. */
const metricsRules: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['get', 'list'] },
  { apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get'] },
]

const clusterDnsRules: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['services'], verbs: ['create'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['create', 'update'] },
]

const tokenSecretRules: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['secrets'], verbs: ['update', 'delete'] },
  { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['get'] },
]

const flowSchemaRules: readonly PolicyRule[] = [
  { apiGroups: ['flowcontrol.apiserver.k8s.io'], resources: ['flowschemas/status'], verbs: ['update'] },
]

const servingApproverRules: readonly PolicyRule[] = [
  { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests/approval'], verbs: ['update'] },
  {
    apiGroups: ['certificates.k8s.io'],
    resources: ['signers'],
    resourceNames: ['kubernetes.io/kubelet-serving'],
    verbs: ['approve'],
  },
]

/**
 * A machine with a bootstrap token may ask for a kubelet's client certificate, and a kubelet for its next one; both
 * are signed without a person looking (documentation page "TLS bootstrapping").
 */
function joinBindings(): BootstrapObject[] {
  const group = (name: string): Subject => ({ kind: 'Group', apiGroup, name })
  const approval = 'system:certificates.k8s.io:certificatesigningrequests'
  return [
    bind('coracle:node-bootstrapper', 'system:node-bootstrapper', [group('system:bootstrappers')]),
    bind('coracle:node-approval', `${approval}:nodeclient`, [group('system:bootstrappers')]),
    bind('coracle:node-renewal', `${approval}:selfnodeclient`, [group('system:nodes')]),
  ]
}

function bind(name: string, role: string, subjects: readonly Subject[]): BootstrapObject {
  const metadata = { name, labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } }
  const roleRef = { apiGroup, kind: 'ClusterRole', name: role }
  const object = { apiVersion: `${apiGroup}/v1`, kind: 'ClusterRoleBinding', metadata, roleRef, subjects }
  return { resource: clusterRoleBindings, object }
}

/** A role that nobody has until an administrator gives it. */
function reader(name: string, rules: readonly PolicyRule[]): BootstrapObject {
  const metadata = { name, labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } }
  const role = { apiVersion: `${apiGroup}/v1`, kind: 'ClusterRole', metadata, rules }
  return { resource: clusterRoles, object: role }
}

function grant(name: string, rules: readonly PolicyRule[], subjects: readonly Subject[]): BootstrapObject[] {
  const metadata = { name, labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } }
  const role = { apiVersion: `${apiGroup}/v1`, kind: 'ClusterRole', metadata, rules }
  return [{ resource: clusterRoles, object: role }, bind(name, name, subjects)]
}
