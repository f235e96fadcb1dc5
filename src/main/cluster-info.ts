import type { BootstrapBody, BootstrapObject } from '#apiserver/bootstrap/bootstrap-store.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { ConfigMap } from '#api/types/core.v1.ts'
import { configMaps, roleBindings, roles } from '#api/types/resources.ts'

const place = { name: 'cluster-info', namespace: 'kube-public' } as const
const apiGroup = 'rbac.authorization.k8s.io'

export interface ClusterInfo {
  /** `https://host:port` under which nodes reach the API server. */
  readonly server: string
  /** PEM. */
  readonly authority: string
}

/**
 * The ConfigMap `kube-public/cluster-info` that anybody may read: where the API server is and which authority it has.
 * A joining machine believes it only after comparing the authority with the hash in its token.
 */
export function clusterInfoObjects(info: ClusterInfo): readonly BootstrapObject[] {
  const rules = [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [place.name], verbs: ['get'] }]
  const metadata = { name: 'coracle:cluster-info', namespace: place.namespace }
  const subjects = [{ kind: 'Group', apiGroup, name: 'system:unauthenticated' }]
  const roleRef = { apiGroup, kind: 'Role', name: metadata.name }
  const role = { apiVersion: `${apiGroup}/v1`, kind: 'Role', metadata, rules }
  const binding = { apiVersion: `${apiGroup}/v1`, kind: 'RoleBinding', metadata, subjects, roleRef }
  return [clusterInfo(info), { resource: roles, object: role }, { resource: roleBindings, object: binding }]
}

function clusterInfo(info: ClusterInfo): BootstrapObject {
  const kubeconfig = kubeconfigText(info)
  const object: BootstrapBody & Pick<ConfigMap, 'data'> = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: place,
    data: { kubeconfig },
  }
  const merge = (stored: KubernetesObject): KubernetesObject | undefined => {
    const { data } = stored as ConfigMap
    if (data?.['kubeconfig'] === kubeconfig) return undefined
    return { ...stored, data: { ...data, kubeconfig } } as KubernetesObject
  }
  return { resource: configMaps, object, merge }
}

function kubeconfigText({ server, authority }: ClusterInfo): string {
  return `apiVersion: v1
kind: Config
clusters:
- name: ""
  cluster:
    server: ${JSON.stringify(server)}
    certificate-authority-data: ${Buffer.from(authority).toString('base64')}
contexts: []
users: []
`
}
