import { matchesNodeSelector } from '#api/core/v1/node-affinity.ts'
import { keyOf } from '#api/meta/resource.ts'
import { maxAlternatives } from '#api/resource/v1/device-limits.ts'
import type { AllocationResult, DeviceClass, ResourceClaim } from '#api/types/resource.v1.ts'
import { allocateClaims, type ChosenDevice } from '../devices/allocate-claims.ts'
import { allocationResult } from '../devices/allocation-result.ts'
import type { AssumedAllocations } from '../devices/assumed-allocations.ts'
import { LateClaims, readinessOf } from '../devices/binding-conditions.ts'
import { bindDevices } from '../devices/bind-devices.ts'
import { DevicePools } from '../devices/device-pools.ts'
import { DeviceSelectors } from '../devices/device-selector.ts'
import { DeviceUse } from '../devices/device-use.ts'
import {
  deleteExtendedClaim,
  extendedClaimOn,
  extendedNeed,
  type ExtendedClaim,
  type ExtendedNeed,
} from '../devices/extended-claim.ts'
import { canBeReserved, isReservedFor, podResourceClaims } from '../devices/pod-resource-claims.ts'
import { deallocateClaim } from '../devices/reserve-claims.ts'
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
const leftBehind = { plugin, reason: 'cannot schedule extended resource claim', unresolvable: true }

export interface DynamicResourcesOptions {
  /** How long devices may take to get ready before others are tried. */
  readonly bindingTimeoutMs?: number
}

/** What the plugin keeps over all pods. */
interface Lasting {
  readonly selectors: DeviceSelectors
  readonly late: LateClaims
}

interface DeviceState {
  readonly claims: readonly ResourceClaim[]
  /** Those that have no devices yet. */
  readonly open: readonly ResourceClaim[]
  /** For resources that devices stand for. */
  readonly need: ExtendedNeed | undefined
  readonly pools: DevicePools
  readonly use: DeviceUse
  readonly classes: (name: string) => DeviceClass | undefined
  readonly assumed: AssumedAllocations
  /** By node. */
  readonly found: Map<string, FoundDevices>
}

/** What the pod would get on one node. */
export interface FoundDevices {
  /** By the key of the claim. */
  readonly allocations: ReadonlyMap<string, AllocationResult>
  readonly extended: ExtendedClaim | undefined
  readonly score: number
}

/**
 * Devices for pods with resource claims (KEP-4381): the scheduler itself finds, among what drivers publish in
 * ResourceSlices, devices for all requests of a claim on one node, and writes them into the claim before it binds the
 * pod. For extended resources that a class of devices stands for it makes the claim too.
 */
export function dynamicResources({ bindingTimeoutMs = 10 * 60_000 }: DynamicResourcesOptions = {}): SchedulerPlugin {
  const selectors = new DeviceSelectors()
  const late = new LateClaims()
  return definePlugin<DeviceState>({
    name: plugin,
    preFilter: (pod, snapshot) =>
      (pod.pod.spec.resourceClaims ?? []).length + pod.otherRequests.length === 0 ? 'skip' : prepare(pod, snapshot),
    filter: (pod, node, state) => objection(pod, node, state, { selectors, late }),
    postFilter: (pod, refusal, context) => makeRoom(pod, refusal, context, late),
    score: (_pod, { name }, { found }) => found.get(name)?.score ?? 0,
    normalize: 'byHighest',
    reserve(_pod, { name }, { found, assumed }) {
      for (const [key, allocation] of found.get(name)?.allocations ?? []) assumed.assume(key, allocation)
      return undefined
    },
    unreserve(_pod, { name }, { found, assumed }) {
      for (const key of found.get(name)?.allocations.keys() ?? []) assumed.forget(key)
    },
    preBindTakesTime: ({ name }, { claims, found }) => claims.length > 0 || found.get(name)?.extended !== undefined,
    preBind({ pod }, { metadata }, context, { claims, found, assumed }) {
      const binding = { pod, claims, found: found.get(metadata.name), assumed, bindingTimeoutMs, late }
      return bindDevices(binding, metadata.name, context)
    },
    remedy: (_pod, { name }) => `free devices on ${name}, or add a node that has them`,
    helpedBy,
  })
}

function prepare(pod: PodInfo, { objects, assumedAllocations: assumed }: Snapshot): DeviceState | Veto | 'skip' {
  const claims = podResourceClaims(pod.pod, objects)
  if ('problem' in claims) return new Veto(plugin, claims.problem)
  const need = extendedNeed(pod, objects)
  if (claims.length === 0 && !need) return 'skip'
  const busy = claims.find(
    (claim) => claim.status?.allocation && !isReservedFor(claim, pod.pod) && !canBeReserved(claim),
  )
  if (busy) return new Veto(plugin, 'resourceclaim in use')
  const classes = (name: string) => objects.deviceClasses.get(name)
  const open = claims.filter(({ status }) => !status?.allocation)
  const pending = open.find((claim) => assumed.has(keyOf(claim)))
  if (pending) return new Veto(plugin, `resource claim ${keyOf(pending)} is in the process of being allocated`)
  const missing = open.flatMap((claim) => missingClass(claim, classes) ?? [])[0]
  if (missing !== undefined) return new Veto(plugin, missing)
  const isAny = open.length > 0 || need !== undefined
  const pools = new DevicePools(isAny ? objects.resourceSlices.list() : [])
  const use = new DeviceUse(isAny ? allocationsOf(objects.resourceClaims.list(), assumed) : [], pools)
  return { claims, open, need, pools, use, classes, assumed, found: new Map() }
}

/** What claims have, seen or assumed; never both, or a share would count twice. */
function allocationsOf(claims: readonly ResourceClaim[], assumed: AssumedAllocations): readonly AllocationResult[] {
  const seen = claims.flatMap(({ status }) => status?.allocation ?? [])
  return [...seen, ...assumed.entries().map(([, allocation]) => allocation)]
}

function missingClass(claim: ResourceClaim, classes: DeviceState['classes']): string | undefined {
  for (const { name, exactly, firstAvailable = [] } of claim.spec.devices?.requests ?? []) {
    if (exactly && !classes(exactly.deviceClassName)) {
      return `request ${name}: device class ${exactly.deviceClassName} does not exist`
    }
    const without = firstAvailable.find(({ deviceClassName }) => !classes(deviceClassName))
    if (without) return `request ${name}/${without.name}: device class ${without.deviceClassName} does not exist`
  }
  return undefined
}

function objection(
  pod: PodInfo,
  node: NodeInfo,
  state: DeviceState,
  { selectors, late }: Lasting,
): Rejection | undefined {
  const { claims, open, need, pools, use, classes, found } = state
  if (need?.stale) return leftBehind
  if (claims.some((claim) => isElsewhere(claim, node, late))) return elsewhere
  const extended = need && extendedClaimOn(pod, need, node)
  const wanted = extended ? [...open, extended.claim] : open
  if (wanted.length === 0) return undefined
  try {
    const problem = pools.problemOn(node.node)
    const chosen = allocateClaims(wanted, { devices: pools.on(node.node), problem, use, classes, selectors })
    if (!chosen) return nothingLeft
    const results = wanted.map((claim) => [keyOf(claim), allocationResult(claim, chosen, node.name, classes)] as const)
    found.set(node.name, { allocations: new Map(results), extended, score: preferenceOf(open, chosen) })
    return undefined
  } catch (error) {
    return { plugin, reason: (error as Error).message, unresolvable: true }
  }
}

/** Where its devices are, or where they failed, the pod cannot go. */
function isElsewhere(claim: ResourceClaim, { node }: NodeInfo, late: LateClaims): boolean {
  const { allocation } = claim.status ?? {}
  if (!allocation) return false
  const where = allocation.nodeSelector
  if (where !== undefined && !matchesNodeSelector(where, node)) return true
  const readiness = readinessOf(claim)
  return typeof readiness === 'object' || (readiness === 'waiting' && late.has(claim))
}

/** The earlier the alternatives that were taken, the better the node. */
function preferenceOf(claims: readonly ResourceClaim[], chosen: readonly ChosenDevice[]): number {
  let score = 0
  for (const claim of claims) {
    const taken = new Set(chosen.filter((each) => each.claim === claim).map(({ request }) => request))
    for (const { name, firstAvailable = [] } of claim.spec.devices?.requests ?? []) {
      const at = firstAvailable.findIndex((option) => taken.has(`${name}/${option.name}`))
      if (at >= 0) score += maxAlternatives - at
    }
  }
  return score
}

/** A claim whose devices are on the wrong node can be given others, as long as nobody uses it. */
function makeRoom(
  info: PodInfo,
  { rejected }: Refusal,
  { snapshot: { objects }, client, log }: PostFilterContext,
  late: LateClaims,
): PostFilterOutcome {
  const { pod } = info
  const claims = podResourceClaims(pod, objects)
  const stale = extendedNeed(info, objects)?.stale
  if ('problem' in claims || (claims.length === 0 && !stale)) return { message: 'no new claims to deallocate' }
  const isWrongPlace = rejected.some(({ rejection }) => rejection === elsewhere)
  const isIdle = ({ status }: ResourceClaim): boolean =>
    status?.allocation !== undefined && (status.reservedFor ?? []).every(({ uid }) => uid === pod.metadata.uid)
  const nodes = rejected.map(({ node }) => node)
  const useless = (claim: ResourceClaim): boolean => nodes.some((node) => isElsewhere(claim, node, late))
  const idle = isWrongPlace ? claims.find((claim) => isIdle(claim) && useless(claim)) : undefined
  const done = (work: Promise<void>, claim: ResourceClaim): Promise<void> =>
    work.catch((error: unknown) => log.warn('A resource claim could not be given back', { claim: keyOf(claim), error }))
  if (idle) {
    const work = done(deallocateClaim(idle, client), idle)
    return { message: 'deallocation of ResourceClaim completed', work }
  }
  if (stale)
    return { message: 'deletion of ResourceClaim completed', work: done(deleteExtendedClaim(stale, client), stale) }
  return { message: 'still not schedulable' }
}

function helpedBy(change: ClusterChange, { pod }: PodInfo): boolean {
  if (change.type === 'nodeAdded') return true
  if (change.type === 'nodeUpdated') {
    const { node, previous } = change
    return (
      JSON.stringify(node.metadata.labels) !== JSON.stringify(previous.metadata.labels) ||
      JSON.stringify(node.status?.allocatable) !== JSON.stringify(previous.status?.allocatable)
    )
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
