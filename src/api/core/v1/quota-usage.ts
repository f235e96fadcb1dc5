import { addQuantities } from '../../meta/quantity.ts'
import type { KubernetesObject } from '../../meta/resource.ts'
import type { Quantity } from '../../types/meta.v1.ts'
import type { PersistentVolumeClaim, Pod, Service } from '../../types/core.v1.ts'
import type { ResourceClaim } from '../../types/resource.v1.ts'
import { deviceCounts } from '../../resource/v1/device-counts.ts'
import { podTotals } from './pod-totals.ts'

/** Amounts by quota resource name, such as `requests.cpu` or `count/deployments.apps`. */
export type Usage = Readonly<Record<string, Quantity>>

/** What one stored object counts for in quotas (documentation page "Resource Quotas"). `resource` is `plural` or `plural.group`. */
export function usageOf(resource: string, object: KubernetesObject): Usage {
  const counted = { [`count/${resource}`]: '1' }
  switch (resource) {
    case 'pods':
      return podUsage(object as Pod, counted)
    case 'services':
      return { ...counted, ...serviceUsage(object as Service) }
    case 'persistentvolumeclaims':
      return { ...counted, ...claimUsage(object as PersistentVolumeClaim) }
    case 'resourceclaims.resource.k8s.io':
      return { ...counted, ...deviceUsage(object as ResourceClaim) }
    case 'configmaps':
    case 'secrets':
    case 'replicationcontrollers':
    case 'resourcequotas':
      return { ...counted, [resource]: '1' }
    default:
      return counted
  }
}

/** A pod that has ended holds its name, but nothing else. */
function podUsage(pod: Pod, counted: Usage): Usage {
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed' || pod.spec === undefined) return counted
  const { requests, limits } = podTotals(pod.spec)
  const usage: Record<string, Quantity> = { ...counted, pods: '1' }
  for (const [name, amount] of Object.entries(requests)) {
    usage[`requests.${name}`] = amount
    if (plainRequests.has(name) || name.startsWith('hugepages-')) usage[name] = amount
  }
  for (const [name, amount] of Object.entries(limits)) if (plainRequests.has(name)) usage[`limits.${name}`] = amount
  return usage
}

/** For these the bare name means the request. */
const plainRequests: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage'])

function serviceUsage({ spec }: Service): Usage {
  const ports = spec?.ports ?? []
  const usage = { services: '1', 'services.nodeports': '0', 'services.loadbalancers': '0' }
  if (spec?.type === 'NodePort') usage['services.nodeports'] = String(ports.length)
  if (spec?.type === 'LoadBalancer') {
    usage['services.loadbalancers'] = '1'
    const allocates = spec.allocateLoadBalancerNodePorts !== false
    usage['services.nodeports'] = String(allocates ? ports.length : ports.filter((port) => port.nodePort).length)
  }
  return usage
}

function claimUsage({ spec, metadata }: PersistentVolumeClaim): Usage {
  const storage = spec?.resources?.requests?.['storage'] ?? '0'
  const storageClass = metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName
  const usage = { persistentvolumeclaims: '1', 'requests.storage': storage }
  if (!storageClass) return usage
  const suffix = `${storageClass}.storageclass.storage.k8s.io`
  return { ...usage, [`${suffix}/persistentvolumeclaims`]: '1', [`${suffix}/requests.storage`]: storage }
}

/** Devices by their class. */
function deviceUsage({ spec }: ResourceClaim): Usage {
  const counts = [...deviceCounts(spec)]
  return Object.fromEntries(
    counts.map(([name, count]) => [`${name}.deviceclass.resource.k8s.io/devices`, String(count)]),
  )
}

/** The sum of several usages. */
export function addUsage(left: Usage, right: Usage): Usage {
  const sum: Record<string, Quantity> = { ...left }
  for (const [name, amount] of Object.entries(right)) {
    const known = sum[name]
    sum[name] = known === undefined ? amount : addQuantities(known, amount)
  }
  return sum
}
