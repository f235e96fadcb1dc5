import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import { keyOf, splitKey } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import { nodes, pods } from '#api/types/resources.ts'
import { formatTime } from '#lib/clock.ts'
import {
  defineController,
  watchOf,
  type Controller,
  type ControllerContext,
  type ReconcileResult,
} from '#reconcile/controller.ts'
import { podsOnNode } from '../pods-on-node.ts'
import { evictionTimeMs } from './decide.ts'

/** By pod: since when its node's taints endanger it, for taints that do not say when they came. */
type Memory = Map<string, number>

/** Deletes pods whose node carries a `NoExecute` taint that they do not tolerate, or no longer. */
export function taintEvictionController(): Controller {
  const memory: Memory = new Map()
  return defineController({
    name: 'taint-eviction-controller',
    serviceAccount: 'node-controller',
    watches: [watchOf(pods, endangeredPod), watchOf(nodes, podsOfTaintedNode)],
    writes: [
      { resource: pods, verbs: ['delete'] },
      { resource: pods, subresource: 'status', verbs: ['patch'] },
    ],
    reconcile: (key, context) => reconcile(key, context, memory),
  })
}

function endangeredPod(pod: Pod, { informers }: ControllerContext): readonly string[] {
  const node = pod.spec.nodeName === undefined ? undefined : informers.of(nodes).get(pod.spec.nodeName)
  return node !== undefined && evicts(node) ? [keyOf(pod)] : []
}

function podsOfTaintedNode(node: Node, { informers }: ControllerContext, previous?: Node): readonly string[] {
  const concerns = evicts(node) || (previous !== undefined && evicts(previous))
  if (!concerns || node.spec?.taints === previous?.spec?.taints) return []
  return podsOnNode(informers, node.metadata.name).map(keyOf)
}

function evicts({ spec }: Node): boolean {
  return spec?.taints?.some(({ effect }) => effect === 'NoExecute') ?? false
}

async function reconcile(key: string, context: ControllerContext, memory: Memory): Promise<ReconcileResult | void> {
  const { informers, clock } = context
  const { namespace, name } = splitKey(key)
  const pod = informers.of(pods).get(name, namespace)
  const isGoing = pod?.spec.nodeName === undefined || pod.metadata.deletionTimestamp !== undefined
  const taints = isGoing ? [] : (informers.of(nodes).get(pod.spec.nodeName)?.spec?.taints ?? [])
  const nowMs = clock.now()
  const sinceMs = memory.get(key) ?? nowMs
  const atMs = pod && evictionTimeMs(pod, taints, sinceMs)
  if (isGoing || atMs === undefined) {
    memory.delete(key)
    return
  }
  memory.set(key, sinceMs)
  if (atMs > nowMs) return { requeueAfterMs: atMs - nowMs }
  await evict(pod, context)
}

async function evict(pod: Pod, { client, clock, events, metrics }: ControllerContext): Promise<void> {
  const { name, namespace, uid } = pod.metadata
  const collection = client.resource(pods, namespace)
  events.record(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${keyOf(pod)}`)
  try {
    if (!isPodTerminal(pod)) {
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByTaintManager',
        message: 'Taint manager: deleting due to NoExecute taint',
        lastTransitionTime: formatTime(clock.now()),
      }
      const patch = { metadata: { uid }, status: { conditions: [condition] } }
      await collection.patch(name, { type: 'strategic', patch }, { subresource: 'status' })
    }
    await collection.delete(name, { preconditions: { uid } })
    const help = 'Total number of Pods deleted by TaintEvictionController since its start.'
    metrics.counter('taint_eviction_controller_pod_deletions_total', help).add()
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error
  }
}
