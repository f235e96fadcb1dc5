import { isNodeReady, nodeCondition } from '#api/core/v1/node-facts.ts'
import { isPodReady } from '#api/core/v1/pod-facts.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Lease } from '#api/types/coordination.v1.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import { leases, nodes, pods } from '#api/types/resources.ts'
import { formatTime } from '#lib/clock.ts'
import {
  defineController,
  watchOf,
  type Controller,
  type ControllerContext,
  type ReconcileResult,
} from '#reconcile/controller.ts'
import { podsOnNode } from '../pods-on-node.ts'
import { evictionIntervalMs, zoneOf } from './eviction-rate.ts'
import { observeHealth, silenceLeftMs, silentConditions, type NodeHealth } from './health.ts'
import { decideTaints, evictionKey } from './taints.ts'

const leaseNamespace = 'kube-node-lease'

/** What one run remembers: it is learned again after a restart, counted from then. */
interface Memory {
  readonly health: Map<string, NodeHealth>
  /** When the next node of a zone may be evicted, on the monotonic clock. */
  readonly nextEvictionMs: Map<string, number>
}

/** Notices silent nodes, taints nodes by their conditions, and tells the world that pods of failed nodes are not ready. */
export function nodeLifecycleController(): Controller {
  const memory: Memory = { health: new Map(), nextEvictionMs: new Map() }
  return defineController({
    name: 'node-lifecycle-controller',
    serviceAccount: 'node-controller',
    eventSource: 'node-controller',
    watches: [watchOf(nodes, keysOfNode), watchOf(leases, nodeOfLease), watchOf(pods, nodeOfUnreadyCandidate)],
    writes: [
      { resource: nodes, verbs: ['patch'] },
      { resource: nodes, subresource: 'status', verbs: ['patch'] },
      { resource: pods, subresource: 'status', verbs: ['patch'] },
    ],
    reconcile: (name, context) => reconcile(name, context, memory),
  })
}

/** When the last node fails, or the first one recovers, what becomes of all others changes, too. */
function keysOfNode(node: Node, { informers }: ControllerContext, previous?: Node): readonly string[] {
  const { name } = node.metadata
  if (previous === undefined || isNodeReady(node) === isNodeReady(previous)) return [name]
  const all = informers.of(nodes).list()
  const isTurn = !all.some((other) => other.metadata.name !== name && isNodeReady(other))
  return isTurn ? all.map(({ metadata }) => metadata.name) : [name]
}

function nodeOfLease({ metadata }: Lease): readonly string[] {
  return metadata.namespace === leaseNamespace ? [metadata.name] : []
}

/** A pod that is bound to, or says it is ready on, a node that has failed. */
function nodeOfUnreadyCandidate(pod: Pod, { informers }: ControllerContext): readonly string[] {
  const name = pod.spec.nodeName
  if (name === undefined || !isPodReady(pod)) return []
  const node = informers.of(nodes).get(name)
  return node !== undefined && evictionKey(node) !== undefined ? [name] : []
}

async function reconcile(name: string, context: ControllerContext, memory: Memory): Promise<ReconcileResult | void> {
  const { informers, clock } = context
  const node = informers.of(nodes).get(name)
  if (node === undefined) {
    memory.health.delete(name)
    return
  }
  const nowMs = clock.monotonic()
  const health = observeHealth(memory.health.get(name), node, informers.of(leases).get(name, leaseNamespace), nowMs)
  memory.health.set(name, health)
  const leftMs = silenceLeftMs(health, nowMs)
  if (leftMs <= 0 && (await reportSilence(context, node))) return
  if (evictionKey(node) !== undefined) await reportPods(context, node)
  const waitMs = await applyTaints(context, node, memory)
  const waits = [waitMs, leftMs > 0 ? leftMs : undefined].filter((wait) => wait !== undefined)
  return waits.length === 0 ? undefined : { requeueAfterMs: Math.min(...waits) }
}

/** Whether there was anything to write; its event brings the node back here. */
async function reportSilence({ client, clock, events, log }: ControllerContext, node: Node): Promise<boolean> {
  const conditions = silentConditions(node, clock.now())
  if (conditions === node.status?.conditions) return false
  const { name, uid, resourceVersion } = node.metadata
  log.info('A node has stopped reporting', { node: name })
  if (isNodeReady(node)) events.record(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`)
  const patch = { metadata: { uid, resourceVersion }, status: { conditions } }
  await client.resource(nodes).patch(name, { type: 'merge', patch }, { subresource: 'status' }).catch(unlessGone)
  return true
}

/** Nobody on a failed node can say that its pods still answer. */
async function reportPods({ informers, client, clock, events }: ControllerContext, node: Node): Promise<void> {
  const ready = podsOnNode(informers, node.metadata.name).filter(isPodReady)
  for (const pod of ready) {
    const { name, namespace, uid } = pod.metadata
    const condition = { type: 'Ready', status: 'False', lastTransitionTime: formatTime(clock.now()) }
    const patch = { metadata: { uid }, status: { conditions: [condition] } }
    await client
      .resource(pods, namespace)
      .patch(name, { type: 'strategic', patch }, { subresource: 'status' })
      .catch(unlessGone)
    events.record(pod, 'Warning', 'NodeNotReady', 'Node is not ready')
  }
}

/** Milliseconds until an eviction that had to wait may happen. */
async function applyTaints(context: ControllerContext, node: Node, memory: Memory): Promise<number | undefined> {
  const { clock, client } = context
  const waitMs = evictionWaitMs(context, node, memory)
  const old = node.spec?.taints
  const eviction = !isAnyNodeWell(context) ? 'stopped' : waitMs === 0 ? 'allowed' : 'held'
  const taints = decideTaints(node, eviction, clock.now())
  if (taints === old || (taints.length === 0 && old === undefined)) return isWaiting(node, waitMs) ? waitMs : undefined
  const { name, uid, resourceVersion } = node.metadata
  const patch = { metadata: { uid, resourceVersion }, spec: { taints: taints.length === 0 ? null : taints } }
  await client.resource(nodes).patch(name, { type: 'merge', patch }).catch(unlessGone)
  const isNewEviction =
    taints.some(({ effect, key }) => effect === 'NoExecute' && key === evictionKey(node)) && !hasEviction(node)
  if (isNewEviction) memory.nextEvictionMs.set(zoneOf(node), clock.monotonic() + (intervalOf(context, node) ?? 0))
  return isWaiting(node, waitMs) ? waitMs : undefined
}

function isWaiting(node: Node, waitMs: number | undefined): boolean {
  return evictionKey(node) !== undefined && !hasEviction(node) && waitMs !== undefined && waitMs > 0
}

function hasEviction(node: Node): boolean {
  return node.spec?.taints?.some(({ effect, key }) => effect === 'NoExecute' && key === evictionKey(node)) ?? false
}

function isAnyNodeWell({ informers }: ControllerContext): boolean {
  return informers.of(nodes).list().some(isNodeReady)
}

function intervalOf({ informers }: ControllerContext, node: Node): number | undefined {
  return evictionIntervalMs(zoneOf(node), informers.of(nodes).list())
}

/** 0: now; undefined: not as long as so much else has failed. */
function evictionWaitMs(context: ControllerContext, node: Node, memory: Memory): number | undefined {
  if (nodeCondition(node, 'Ready') === undefined || evictionKey(node) === undefined) return undefined
  if (intervalOf(context, node) === undefined) return undefined
  const next = memory.nextEvictionMs.get(zoneOf(node)) ?? 0
  return Math.max(0, next - context.clock.monotonic())
}

function unlessGone(error: unknown): void {
  if (!isStatusError(error, 'NotFound')) throw error
}
