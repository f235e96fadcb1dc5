import type { UserInfo } from '#api/meta/exchange.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { PolicyRule } from '#api/types/rbac.v1.ts'
import {
  clusterRoles,
  persistentVolumeClaims,
  persistentVolumes,
  podCertificateRequests,
  pods,
  volumeAttachments,
} from '#api/types/resources.ts'
import { nodeOfPod } from '../registry/indexed-fields.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import type { AuthorizationAttributes } from '../request-info.ts'
import type { Authorizer, Decision } from './authorizer.ts'
import { claimNames, podReferences, type ReferencedKind } from './pod-references.ts'
import { ruleAllows } from './rule-match.ts'
import { volumeNeedsSecret } from './volume-secrets.ts'

const noOpinion = (reason: string): Decision => ({ decision: 'noOpinion', reason })
const allowed: Decision = { decision: 'allow', reason: '' }

/** The node a user is the kubelet of; undefined for anybody else. */
export function nodeNameOf(user: UserInfo): string | undefined {
  const prefix = 'system:node:'
  if (!user.name.startsWith(prefix) || !user.groups.includes('system:nodes')) return undefined
  return user.name.slice(prefix.length) || undefined
}

/**
 * What kubelets may do: read objects only where a pod of their node leads to them, write their own lease, CSINode and
 * resource slices, and for the rest what the role `system:node` says (documentation page "Using Node Authorization").
 */
export function nodeAuthorizer(reader: ObjectReader): Authorizer {
  return {
    name: 'Node',
    authorize(asked) {
      const node = nodeNameOf(asked.user)
      if (node === undefined) return noOpinion('')
      const decideFor = asked.isResourceRequest ? deciders[`${asked.group}/${asked.resource}`] : undefined
      if (decideFor !== undefined) return decideFor(asked, node, reader)
      const rules: readonly PolicyRule[] = reader.get(clusterRoles, 'system:node')?.rules ?? []
      return rules.some((rule) => ruleAllows(rule, asked)) ? allowed : noOpinion('')
    },
  }
}

type Decider = (asked: AuthorizationAttributes, node: string, reader: ObjectReader) => Decision

const deciders: Readonly<Record<string, Decider>> = {
  '/secrets': (asked, node, reader) =>
    readable(asked, node, () => usedByPod(asked, 'secrets', node, reader) || usedByVolume(asked, node, reader)),
  '/configmaps': (asked, node, reader) => readable(asked, node, () => usedByPod(asked, 'configmaps', node, reader)),
  'certificates.k8s.io/podcertificaterequests': podCertificateRequest,
  '/persistentvolumeclaims': (asked, node, reader) => {
    const used = (): boolean => usedByPod(asked, 'persistentvolumeclaims', node, reader)
    if (asked.subresource !== 'status') return readable(asked, node, used)
    if (asked.verb !== 'update' && asked.verb !== 'patch') return noOpinion('can only update status')
    return related(node, used())
  },
  '/persistentvolumes': (asked, node, reader) => readable(asked, node, () => usesVolume(asked.name, node, reader)),
  'resource.k8s.io/resourceclaims': (asked, node, reader) =>
    asked.verb === 'get'
      ? readable(asked, node, () => usedByPod(asked, 'resourceclaims', node, reader))
      : noOpinion('can only get individual resources of this type'),
  'storage.k8s.io/volumeattachments': (asked, node, reader) => {
    if (asked.verb !== 'get') return noOpinion('can only get individual resources of this type')
    return readable(asked, node, () => reader.get(volumeAttachments, asked.name)?.spec.nodeName === node)
  },
  '/serviceaccounts': (asked, node, reader) => {
    if (asked.verb === 'get' && asked.subresource === '')
      return related(node, usedByPod(asked, 'serviceaccounts', node, reader))
    if (asked.verb !== 'create' || asked.subresource !== 'token') return noOpinion('only create verb is supported')
    return related(node, usedByPod(asked, 'serviceaccounts', node, reader))
  },
  'coordination.k8s.io/leases': (asked, node) => {
    if (asked.subresource !== '') return noOpinion('cannot authorize lease subresources')
    if (asked.namespace !== 'kube-node-lease')
      return noOpinion(`can only access leases in the "kube-node-lease" system namespace`)
    return ownObject(asked, node, 'lease')
  },
  'storage.k8s.io/csinodes': (asked, node) =>
    asked.subresource === '' ? ownObject(asked, node, 'CSINode') : noOpinion('cannot authorize CSINode subresources'),
  'resource.k8s.io/resourceslices': (asked) => {
    const verbs = ['get', 'create', 'update', 'patch', 'delete', 'list', 'watch', 'deletecollection']
    if (asked.subresource !== '') return noOpinion('cannot authorize ResourceSlice subresources')
    return verbs.includes(asked.verb)
      ? allowed
      : noOpinion('can only create, get, update, patch, or delete a ResourceSlice')
  },
}

/** What is created is looked at by NodeRestriction; a node reads the requests that it made itself. */
function podCertificateRequest(asked: AuthorizationAttributes, node: string, reader: ObjectReader): Decision {
  const { verb, subresource, name, namespace, fieldSelector = '' } = asked
  if (subresource !== '') return noOpinion('nodes may not access subresources of PodCertificateRequests')
  if (verb === 'create') return allowed
  if (verb === 'get') return related(node, reader.get(podCertificateRequests, name, namespace)?.spec.nodeName === node)
  if (verb !== 'list' && verb !== 'watch') {
    return noOpinion('can only create, get, list, and watch PodCertificateRequests')
  }
  const isOwn = fieldSelector.split(',').some((part) => /^spec\.nodeName==?/.exec(part)?.[0] + node === part)
  return isOwn ? allowed : noOpinion('can only list/watch PodCertificateRequests with spec.nodeName field selector')
}

/** `get`, and `list` or `watch` of one named object. */
function readable(asked: AuthorizationAttributes, node: string, isRelated: () => boolean): Decision {
  if (!['get', 'list', 'watch'].includes(asked.verb)) return noOpinion('can only read resources of this type')
  if (asked.subresource !== '') return noOpinion('cannot read subresource')
  if (asked.name === '') return noOpinion('No Object name found')
  return related(node, isRelated())
}

function related(node: string, isRelated: boolean): Decision {
  return isRelated ? allowed : noOpinion(`no relationship found between node '${node}' and this object`)
}

function ownObject(asked: AuthorizationAttributes, node: string, kind: string): Decision {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(asked.verb)) {
    return noOpinion(`can only get, create, update, patch, or delete a node ${kind}`)
  }
  const unnamedCreate = asked.verb === 'create' && asked.name === ''
  return asked.name === node || unnamedCreate
    ? allowed
    : noOpinion(`can only access node ${kind} with the same name as the requesting node`)
}

function usedByPod(asked: AuthorizationAttributes, kind: ReferencedKind, node: string, reader: ObjectReader): boolean {
  return podsOn(node, asked.namespace, reader).some((pod) => podReferences(pod, kind, asked.name))
}

function usedByVolume({ namespace, name }: AuthorizationAttributes, node: string, reader: ObjectReader): boolean {
  return reader
    .list(persistentVolumes)
    .some((volume) => volumeNeedsSecret(volume, namespace, name) && usesVolume(volume.metadata.name, node, reader))
}

function usesVolume(volumeName: string, node: string, reader: ObjectReader): boolean {
  const claim = reader.get(persistentVolumes, volumeName)?.spec?.claimRef
  if (claim?.name === undefined || claim.namespace === undefined) return false
  if (reader.get(persistentVolumeClaims, claim.name, claim.namespace)?.spec?.volumeName !== volumeName) return false
  const claimName = claim.name
  return podsOn(node, claim.namespace, reader).some((pod) => claimNames(pod).has(claimName))
}

function podsOn(node: string, namespace: string, reader: ObjectReader): readonly Pod[] {
  return reader.having(pods, nodeOfPod, node).filter(({ metadata }) => metadata.namespace === namespace)
}
