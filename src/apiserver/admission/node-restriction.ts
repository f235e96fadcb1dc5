import { isDeepStrictEqual } from 'node:util'
import type { TokenRequest } from '#api/types/authentication.v1.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import { pods } from '#api/types/resources.ts'
import { nodeNameOf } from '../authz/node-authorizer.ts'
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { podCertificateProblem } from './node-pod-certificate.ts'
import { refuse } from './refuse.ts'

const mirrorAnnotation = 'kubernetes.io/config.mirror'

/** A kubelet writes only its own node and the pods on it, and cannot raise its own rights (documentation, "NodeRestriction"). */
export const nodeRestriction: AdmissionPlugin = {
  name: 'NodeRestriction',
  resources: [
    'pods',
    'nodes',
    'serviceaccounts',
    'persistentvolumeclaims',
    'coordination.k8s.io/leases',
    'storage.k8s.io/csinodes',
    'resource.k8s.io/resourceslices',
    'certificates.k8s.io/podcertificaterequests',
  ],
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  subresources: ['status', 'eviction', 'token', 'resize', 'ephemeralcontainers', 'binding'],
  validate(request, context) {
    if (!request.user.groups.includes('system:nodes')) return
    const node = nodeNameOf(request.user)
    if (node === undefined) throw refuse(request, `could not determine node from user "${request.user.name}"`)
    const problem = rules[request.info.resource]?.(request, node, context)
    if (problem !== undefined) throw refuse(request, problem)
  },
}

type Rule = (request: AdmissionRequest, node: string, context: AdmissionContext) => string | undefined

const rules: Readonly<Record<string, Rule>> = {
  pods: podProblem,
  nodes: nodeProblem,
  serviceaccounts: tokenProblem,
  persistentvolumeclaims: ({ info }) => (info.subresource === 'status' ? undefined : 'may only update PVC status'),
  podcertificaterequests: podCertificateProblem,
  leases({ info, object }, node) {
    if (info.namespace !== 'kube-node-lease') return 'can only access leases in the "kube-node-lease" system namespace'
    return (object?.metadata.name || info.name) === node
      ? undefined
      : `can only access node lease with the same name as the requesting node`
  },
  csinodes: ({ info, object }, node) =>
    (object?.metadata.name || info.name) === node
      ? undefined
      : `can only access CSINode with the same name as the requesting node`,
  resourceslices({ object, oldObject }, node) {
    const owner = ((oldObject ?? object) as { readonly spec?: { readonly nodeName?: string } } | undefined)?.spec
      ?.nodeName
    return owner === node ? undefined : `can only access ResourceSlice with the same NodeName as the requesting node`
  },
}

function podProblem(request: AdmissionRequest, node: string, { reader }: AdmissionContext): string | undefined {
  const { operation, info } = request
  const who = `node "${node}"`
  const own = 'with spec.nodeName set to itself'
  if (info.subresource === 'eviction') {
    const pod = reader.get(pods, info.name, info.namespace)
    return pod?.spec?.nodeName === node ? undefined : `node ${node} can only evict pods ${own}`
  }
  const old = request.oldObject as Pod | undefined
  if (info.subresource === 'status') {
    if (old?.spec?.nodeName !== node) return `${who} can only update pod status for pods ${own}`
    const sameLabels = isDeepStrictEqual({ ...old.metadata.labels }, { ...request.object?.metadata.labels })
    return sameLabels ? undefined : `${who} cannot update labels through pod status`
  }
  if (info.subresource !== '')
    return `unexpected pod subresource "${info.subresource}", only 'status' and 'eviction' are allowed`
  if (operation === 'DELETE') return old?.spec?.nodeName === node ? undefined : `${who} can only delete pods ${own}`
  if (operation === 'CREATE') return mirrorPodProblem(request.object as Pod, who, node)
  return `unexpected operation "UPDATE", ${who} can only create and delete mirror pods`
}

function mirrorPodProblem({ metadata, spec }: Pod, who: string, node: string): string | undefined {
  if (metadata.annotations?.[mirrorAnnotation] === undefined) {
    return `pod does not have "${mirrorAnnotation}" annotation, ${who} can only create mirror pods`
  }
  if (spec?.nodeName !== node) return `${who} can only create pods with spec.nodeName set to itself`
  const [owner, ...more] = metadata.ownerReferences ?? []
  if (more.length > 0) return `${who} can only create pods with a single owner reference set to itself`
  if (
    owner !== undefined &&
    (owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node || owner.controller !== true)
  ) {
    return `${who} can only create pods with an owner reference set to itself`
  }
  if (spec.serviceAccountName) return `${who} can not create pods that reference a service account`
  for (const volume of spec.volumes ?? []) {
    const what =
      (volume.secret && 'secrets') ??
      (volume.configMap && 'configmaps') ??
      (volume.persistentVolumeClaim && 'persistentvolumeclaims') ??
      (volume.projected && 'projected volumes')
    if (what !== undefined) return `${who} can not create pods that reference ${what}`
  }
  return undefined
}

function nodeProblem({ operation, info, object, oldObject }: AdmissionRequest, node: string): string | undefined {
  const name = info.name || object?.metadata.name || ''
  if (name !== node) return `node "${node}" is not allowed to modify node "${name}"`
  if (operation === 'CREATE') {
    const forbidden = Object.keys(object?.metadata.labels ?? {})
      .filter(isForbiddenLabel)
      .toSorted()
    return forbidden.length === 0
      ? undefined
      : `node "${node}" is not allowed to set the following labels: ${forbidden.join(', ')}`
  }
  if (operation !== 'UPDATE') return undefined
  const now = object as unknown as Node
  const old = oldObject as Node
  if (!isDeepStrictEqual([...(now.spec?.taints ?? [])], [...(old.spec?.taints ?? [])])) {
    return `node "${node}" is not allowed to modify taints`
  }
  const changed = changedKeys(old.metadata.labels, now.metadata.labels).filter(isForbiddenLabel)
  if (changed.length > 0) return `is not allowed to modify labels: ${changed.join(', ')}`
  const sameOwners = isDeepStrictEqual(
    [...(now.metadata.ownerReferences ?? [])],
    [...(old.metadata.ownerReferences ?? [])],
  )
  return sameOwners ? undefined : `node "${node}" is not allowed to modify ownerReferences`
}

/** Labels that steer workloads to trusted nodes belong to administrators. */
function isForbiddenLabel(key: string): boolean {
  const prefix = key.includes('/') ? key.slice(0, key.indexOf('/')) : ''
  if (prefix === 'node-restriction.kubernetes.io' || prefix.endsWith('.node-restriction.kubernetes.io')) return true
  const inKubernetes = ['kubernetes.io', 'k8s.io'].some((domain) => prefix === domain || prefix.endsWith(`.${domain}`))
  return (
    inKubernetes &&
    !kubeletLabels.has(key) &&
    !kubeletDomains.some((domain) => prefix === domain || prefix.endsWith(`.${domain}`))
  )
}

const kubeletDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io']
const kubeletLabels: ReadonlySet<string> = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'node.kubernetes.io/windows-build',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
])

type Labels = Readonly<Record<string, string>> | undefined

function changedKeys(old: Labels, now: Labels): string[] {
  const keys = new Set([...Object.keys(old ?? {}), ...Object.keys(now ?? {})])
  return [...keys].filter((key) => old?.[key] !== now?.[key]).toSorted()
}

function tokenProblem(
  { info, object }: AdmissionRequest,
  node: string,
  { reader }: AdmissionContext,
): string | undefined {
  if (info.subresource !== 'token') return undefined
  const ref = (object as unknown as TokenRequest | undefined)?.spec.boundObjectRef
  if (ref === undefined || ref === null || ref.apiVersion !== 'v1' || ref.kind !== 'Pod' || !ref.name) {
    return 'node requested token not bound to a pod'
  }
  if (!ref.uid) return 'node requested token with a pod binding without a uid'
  const pod = reader.get(pods, ref.name, info.namespace)
  if (pod === undefined) return `pod "${ref.name}" not found`
  if (pod.metadata.uid !== ref.uid) {
    return `the UID in the bound object reference (${ref.uid}) does not match the UID in record (${pod.metadata.uid}). The object might have been deleted and then recreated`
  }
  return pod.spec?.nodeName === node ? undefined : 'node requested token bound to a pod scheduled on a different node'
}
