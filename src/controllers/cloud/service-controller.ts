import { isDeepStrictEqual } from 'node:util'
import { splitKey } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { LoadBalancerStatus, Node, Service } from '#api/types/core.v1.ts'
import { nodes, services } from '#api/types/resources.ts'
import { defineController, watchOf, type Controller, type ControllerContext } from '#reconcile/controller.ts'
import { messageOf } from '../pod-from-template.ts'
import type { LoadBalancers } from './cloud-provider.ts'

/** Kept on a service while it has a balancer, so that none is left behind. */
const cleanupFinalizer = 'service.kubernetes.io/load-balancer-cleanup'
const excludedLabel = 'node.kubernetes.io/exclude-from-external-load-balancers'
const doomedTaint = 'ToBeDeletedByClusterAutoscaler'

/** What was last asked of the cloud for a service: asked again only when it differs. */
interface Asked {
  readonly spec: Service['spec']
  readonly nodeNames: readonly string[]
}

/** Gives every Service of type LoadBalancer a balancer of the cloud, over the nodes that there are. */
export function serviceController(balancers: LoadBalancers): Controller {
  const asked = new Map<string, Asked>()
  return defineController({
    name: 'service-controller',
    watches: [watchOf(services), watchOf(nodes, balancedServices)],
    writes: [{ resource: services, subresource: 'status', verbs: ['patch', 'update'] }],
    reconcile: (key, context) => reconcile(key, context, balancers, asked),
  })
}

/** A change of a node concerns services only when it joins or leaves those that take traffic. */
function balancedServices(node: Node, { informers }: ControllerContext, previous?: Node): readonly string[] {
  const isKnown = informers.of(nodes).get(node.metadata.name) !== undefined
  if (isKnown && previous !== undefined && takesTraffic(node) === takesTraffic(previous)) return []
  const wanting = informers.of(services).list().filter(wantsBalancer)
  return wanting.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
}

function takesTraffic({ metadata, spec }: Node): boolean {
  if (metadata.deletionTimestamp !== undefined || metadata.labels?.[excludedLabel] !== undefined) return false
  return !(spec.taints?.some(({ key }) => key === doomedTaint) ?? false)
}

/** A service with a class of balancers belongs to whoever serves that class. */
function wantsBalancer({ metadata, spec }: Service): boolean {
  const isOurs = spec?.type === 'LoadBalancer' && spec.loadBalancerClass === undefined
  return isOurs && metadata.deletionTimestamp === undefined
}

async function reconcile(
  key: string,
  context: ControllerContext,
  balancers: LoadBalancers,
  asked: Map<string, Asked>,
): Promise<void> {
  const { namespace, name } = splitKey(key)
  const service = context.informers.of(services).get(name, namespace)
  if (service === undefined) {
    asked.delete(key)
    return
  }
  if (wantsBalancer(service)) return ensure(service, context, { balancers, asked, key })
  asked.delete(key)
  if (service.metadata.finalizers?.includes(cleanupFinalizer)) await remove(service, context, balancers)
}

interface Books {
  readonly balancers: LoadBalancers
  readonly asked: Map<string, Asked>
  readonly key: string
}

async function ensure(service: Service, context: ControllerContext, { balancers, asked, key }: Books): Promise<void> {
  const { events, informers } = context
  const behind = informers.of(nodes).list().filter(takesTraffic)
  const nodeNames = behind.map(({ metadata }) => metadata.name).sort()
  const known = asked.get(key)
  const wish = { spec: service.spec, nodeNames }
  if (known !== undefined && isDeepStrictEqual(known, wish)) return
  if (behind.length === 0) {
    const message = 'There are no available nodes for LoadBalancer'
    events.record(service, 'Warning', 'UnAvailableLoadBalancer', message)
  }
  try {
    if (known !== undefined && isDeepStrictEqual(known.spec, service.spec)) {
      await balancers.updateNodes(service, behind)
      events.record(service, 'Normal', 'UpdatedLoadBalancer', 'Updated load balancer with new hosts')
    } else {
      events.record(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer')
      const finalizers = [...new Set([...(service.metadata.finalizers ?? []), cleanupFinalizer])]
      await patch(service, context, { metadata: { finalizers } })
      const loadBalancer = await balancers.ensure(service, behind)
      if (!isSameStatus(service.status?.loadBalancer, loadBalancer))
        await patch(service, context, { status: { loadBalancer } })
      events.record(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer')
    }
    asked.set(key, wish)
  } catch (error) {
    asked.delete(key)
    if (isStatusError(error, 'NotFound', 'Conflict')) throw error
    const message = `Error syncing load balancer: failed to ensure load balancer: ${messageOf(error)}`
    events.record(service, 'Warning', 'SyncLoadBalancerFailed', message)
    throw error
  }
}

function isSameStatus(old: LoadBalancerStatus | undefined, next: LoadBalancerStatus): boolean {
  return isDeepStrictEqual(old?.ingress ?? [], next.ingress ?? [])
}

async function remove(service: Service, context: ControllerContext, balancers: LoadBalancers): Promise<void> {
  const { events } = context
  events.record(service, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer')
  try {
    await balancers.remove(service)
  } catch (error) {
    const message = `Error syncing load balancer: failed to delete load balancer: ${messageOf(error)}`
    events.record(service, 'Warning', 'SyncLoadBalancerFailed', message)
    throw error
  }
  const finalizers = (service.metadata.finalizers ?? []).filter((name) => name !== cleanupFinalizer)
  const change = {
    metadata: { finalizers: finalizers.length === 0 ? null : finalizers },
    status: { loadBalancer: null },
  }
  await patch(service, context, change)
  events.record(service, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer')
}

async function patch(
  { metadata }: Service,
  { client }: ControllerContext,
  change: { readonly metadata?: object; readonly status?: object },
): Promise<void> {
  const { name, namespace, uid } = metadata
  const body = { ...change, metadata: { ...change.metadata, uid } }
  await client
    .resource(services, namespace)
    .patch(name, { type: 'merge', patch: body }, { subresource: 'status' })
    .catch((error: unknown) => {
      if (!isStatusError(error, 'NotFound')) throw error
    })
}
