import type { Catalog } from '#api/schema/catalog.ts'
import type { Resource } from '#api/meta/resource.ts'
import type { PolicyRule } from '#api/types/rbac.v1.ts'
import { clusterTrustBundles, podCertificateRequests } from '#api/types/resources.ts'

/** A row of roles and bindings that come with an API that is off by default; the same form as those of `bootstrap.json`. */
interface OptionalPolicy {
  readonly clusterRoles: readonly object[]
  readonly clusterRoleBindings: readonly object[]
  /** What the role of nodes has beside its usual rules. */
  readonly nodeRules: readonly PolicyRule[]
}

/** The rights that come with the optional APIs that are served. */
export function optionalPolicy(catalog: Catalog): OptionalPolicy {
  const serves = ({ group, version, plural }: Resource): boolean => catalog.find(group, version, plural) !== undefined
  const parts = [
    ...(serves(clusterTrustBundles) ? [trustBundlePolicy] : []),
    ...(serves(podCertificateRequests) ? [podCertificatePolicy] : []),
  ]
  return {
    clusterRoles: parts.flatMap((part) => part.clusterRoles),
    clusterRoleBindings: parts.flatMap((part) => part.clusterRoleBindings),
    nodeRules: parts.flatMap((part) => part.nodeRules),
  }
}

const group = 'certificates.k8s.io'
const rbac = 'rbac.authorization.k8s.io'
const read = ['get', 'list', 'watch']

function named(name: string): { readonly metadata: object } {
  const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' }
  return { metadata: { name, labels, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' } } }
}

function bound(name: string, subject: object): object {
  return { ...named(name), subjects: [subject], roleRef: { apiGroup: rbac, kind: 'ClusterRole', name } }
}

function controllerAccount(name: string): object {
  return { kind: 'ServiceAccount', name, namespace: 'kube-system' }
}

const events: PolicyRule = {
  verbs: ['create', 'patch', 'update'],
  apiGroups: ['', 'events.k8s.io'],
  resources: ['events'],
}
const discovery = 'system:cluster-trust-bundle-discovery'
const publisher = 'kube-apiserver-serving-clustertrustbundle-publisher'
const cleaner = 'podcertificaterequestcleaner'
const readBundles: PolicyRule = { verbs: read, apiGroups: [group], resources: ['clustertrustbundles'] }

/** Whoever runs in the cluster may read bundles: they are mounted into pods, and hold nothing secret (KEP-3257). */
const trustBundlePolicy: OptionalPolicy = {
  clusterRoles: [
    { ...named(discovery), rules: [readBundles] },
    {
      ...named(`system:controller:${publisher}`),
      rules: [
        {
          verbs: ['attest'],
          apiGroups: [group],
          resources: ['signers'],
          resourceNames: ['kubernetes.io/kube-apiserver-serving'],
        },
        {
          verbs: ['create', 'update', 'delete', 'list', 'watch'],
          apiGroups: [group],
          resources: ['clustertrustbundles'],
        },
        events,
      ],
    },
  ],
  clusterRoleBindings: [
    bound(discovery, { kind: 'Group', apiGroup: rbac, name: 'system:serviceaccounts' }),
    bound(`system:controller:${publisher}`, controllerAccount(publisher)),
  ],
  nodeRules: [readBundles],
}

const podCertificatePolicy: OptionalPolicy = {
  clusterRoles: [
    {
      ...named(`system:controller:${cleaner}`),
      rules: [{ verbs: [...read, 'delete'], apiGroups: [group], resources: ['podcertificaterequests'] }, events],
    },
  ],
  clusterRoleBindings: [bound(`system:controller:${cleaner}`, controllerAccount(cleaner))],
  nodeRules: [{ verbs: ['create', ...read], apiGroups: [group], resources: ['podcertificaterequests'] }],
}
