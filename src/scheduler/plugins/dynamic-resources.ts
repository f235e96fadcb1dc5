import { matchesNodeSelector } from '#api/core/v1/node-affinity.ts'
import { keyOf } from '#api/meta/resource.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { AllocationResult, DeviceClass, ResourceClaim } from '#api/types/resource.v1.ts'
import type { Lister } from '#client/informer.ts'
import { allocateClaims } from '../devices/allocate-claims.ts'
import { allocationResult } from '../devices/allocation-result.ts'
import { DevicePools } from '../devices/device-pools.ts'
import { DeviceSelectors } from '../devices/device-selector.ts'
import { DeviceUse } from '../devices/device-use.ts'
import { canBeReserved, isReservedFor, podResourceClaims } from '../devices/pod-resource-claims.ts'
import { deallocateClaim, reserveClaims } from '../devices/reserve-claims.ts'
import {
  definePlugin,
  Veto,
  type ClusterChange,
  type PostFilterContext,
  type PostFilterOutcome,
  type Refusal,
  type Rejection,
  type SchedulerPlugin,
  type Snapshot,
} from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'

const plugin = 'DynamicResources'
const elsewhere = { plugin, reason: 'resourceclaim not available on the node', unresolvable: true }
const nothingLeft = { plugin, reason: 'cannot allocate all claims', unresolvable: true }

interface DeviceState {
  readonly claims: readonly ResourceClaim[]
  /** Those that have no devices yet. */
  readonly open: readonly ResourceClaim[]
  readonly pools: DevicePools
  readonly classes: (name: string) => DeviceClass | undefined
  /** What claims have, seen or assumed. */
  readonly allocations: readonly AllocationResult[]
  readonly assumed: Map<string, AllocationResult>
  /** What the open claims would get, by node. */
  readonly found: Map<string, ReadonlyMap<string, AllocationResult>>
}

/**
 * Devices for pods with resource claims (KEP-4381): the scheduler itself finds, among what drivers publish in
 * ResourceSlices, devices for all requests of a claim on one node, and writes them into the claim before it binds the
 * pod. Devices with binding conditions are left to others; one device serves one claim.
 */
export function dynamicResources(): SchedulerPlugin {
  const selectors = new DeviceSelectors()
  return definePlugin<DeviceState>({
    name: plugin,
    preFilter: ({ pod }, snapshot) => ((pod.spec.resourceClaims ?? []).length === 0 ? 'skip' : prepare(pod, snapshot)),
    filter: (_pod, node, state) => objection(node, state, selectors),
    postFilter: deallocate,
    reserve(_pod, { name }, { found, assumed }) {
      for (const [key, allocation] of found.get(name) ?? []) assumed.set(key, allocation)
      return undefined
    },
    unreserve(_pod, { name }, { found, assumed }) {
      for (const key of found.get(name)?.keys() ?? []) assumed.delete(key)
    },
    preBind: ({ pod }, { metadata }, { client }, { claims, found }) =>
      reserveClaims(pod, claims, found.get(metadata.name) ?? new Map(), client),
    remedy: (_pod, { name }) => `free devices on ${name}, or add a node that has them`,
    helpedBy,
  })
}

function prepare(pod: Pod, { objects, assumedAllocations: assumed }: Snapshot): DeviceState | Veto | 'skip' {
  const claims = podResourceClaims(pod, objects)
  if ('problem' in claims) return new Veto(plugin, claims.problem)
  if (claims.length === 0) return 'skip'
  forgetConfirmed(assumed, objects.resourceClaims)
  const busy = claims.find((claim) => claim.status?.allocation && !isReservedFor(claim, pod) && !canBeReserved(claim))
  if (busy) return new Veto(plugin, 'resourceclaim in use')
  const pending = claims.find((claim) => assumed.has(keyOf(claim)))
  if (pending) return new Veto(plugin, `resourceclaim ${keyOf(pending)} is in the process of being allocated`)
  const classes = (name: string) => objects.deviceClasses.get(name)
  const open = claims.filter(({ status }) => !status?.allocation)
  const missing = open.flatMap((claim) => missingClass(claim, classes) ?? [])[0]
  if (missing !== undefined) return new Veto(plugin, missing)
  const seen = open.length === 0 ? [] : objects.resourceClaims.list().flatMap(({ status }) => status?.allocation ?? [])
  return {
    ...{ claims, open, classes, assumed, found: new Map() },
    pools: new DevicePools(open.length === 0 ? [] : objects.resourceSlices.list()),
    allocations: [...seen, ...assumed.values()],
  }
}

/** What was assumed is no longer needed once the watch shows it, or shows that the claim is gone. */
function forgetConfirmed(assumed: Map<string, AllocationResult>, claims: Lister<ResourceClaim>): void {
  for (const key of assumed.keys()) {
    const [namespace = '', name = ''] = key.split('/')
    const claim = claims.get(name, namespace)
    if (!claim || claim.status?.allocation) assumed.delete(key)
  }
}

function missingClass(claim: ResourceClaim, classes: DeviceState['classes']): string | undefined {
  for (const { name, exactly, firstAvailable } of claim.spec.devices?.requests ?? []) {
    for (const { deviceClassName } of exactly ? [exactly] : (firstAvailable ?? [])) {
      if (!classes(deviceClassName)) return `request ${name}: device class ${deviceClassName} does not exist`
    }
  }
  return undefined
}

function objection(node: NodeInfo, state: DeviceState, selectors: DeviceSelectors): Rejection | undefined {
  const { claims, open, pools, classes, allocations, found } = state
  const isElsewhere = claims.some(({ status }) => {
    const where = status?.allocation?.nodeSelector
    return where !== undefined && !matchesNodeSelector(where, node.node)
  })
  if (isElsewhere) return elsewhere
  if (open.length === 0) return undefined
  try {
    const use = new DeviceUse(allocations, pools)
    const chosen = allocateClaims(open, { devices: pools.on(node.node), use, classes, selectors })
    if (!chosen) return nothingLeft
    const results = open.map((claim) => [keyOf(claim), allocationResult(claim, chosen, node.name, classes)] as const)
    found.set(node.name, new Map(results))
    return undefined
  } catch (error) {
    return { plugin, reason: (error as Error).message, unresolvable: true }
  }
}

/** A claim whose devices are on the wrong node can be given others, as long as nobody uses it. */
function deallocate({ pod }: PodInfo, { rejected }: Refusal, context: PostFilterContext): PostFilterOutcome {
  const claims = podResourceClaims(pod, context.snapshot.objects)
  if ('problem' in claims || claims.length === 0) return { message: 'no new claims to deallocate' }
  const isWrongPlace = rejected.some(({ rejection }) => rejection === elsewhere)
  const idle = claims.find(
    ({ status }) => status?.allocation && (status.reservedFor ?? []).every(({ uid }) => uid === pod.metadata.uid),
  )
  if (!isWrongPlace || !idle) return { message: 'still not schedulable' }
  const work = deallocateClaim(idle, context.client).catch((error: unknown) =>
    context.log.warn('A resource claim could not be deallocated', { claim: keyOf(idle), error }),
  )
  return { message: 'deallocation of ResourceClaim completed', work }
}

function helpedBy(change: ClusterChange, { pod }: PodInfo): boolean {
  if (change.type === 'nodeAdded') return true
  if (change.type === 'nodeUpdated') {
    return JSON.stringify(change.node.metadata.labels) !== JSON.stringify(change.previous.metadata.labels)
  }
  if (change.type !== 'devicesChanged') return false
  const { object, isGone } = change
  if (object.kind !== 'ResourceClaim') return !isGone
  const { status, metadata } = object as ResourceClaim
  // A claim without devices leaves them to others.
  if (isGone || !status?.allocation) return true
  const names = (pod.spec.resourceClaims ?? []).map(({ name, resourceClaimName }) => {
    return resourceClaimName ?? pod.status?.resourceClaimStatuses?.find((each) => each.name === name)?.resourceClaimName
  })
  return metadata.namespace === pod.metadata.namespace && names.includes(metadata.name)
}
