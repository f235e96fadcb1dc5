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
import { isAbandoned, surplusPods } from './decide.ts'

export interface PodGcOptions {
  /** Finished pods that are kept; default 12500, 0: all. */
  readonly terminatedPodThreshold?: number
}

const help = 'Number of pods that are being forcefully deleted since the Pod GC Controller started.'

/** How long a node must be gone before its pods are given up: it may only be registering anew. */
const quarantineMs = 40_000

/** Removes pods that nobody else will: of nodes that are gone, of nodes out of service, never placed, or long finished. */
export function podGcController({ terminatedPodThreshold = 12_500 }: PodGcOptions = {}): Controller {
  const missingSinceMs = new Map<string, number>()
  return defineController({
    name: 'pod-garbage-collector',
    watches: [watchOf(pods, keysOfPod), watchOf(nodes, keysOfNode)],
    writes: [
      { resource: pods, verbs: ['delete'] },
      { resource: pods, subresource: 'status', verbs: ['patch'] },
      { resource: nodes, verbs: ['get'] },
    ],
    reconcile: async (key, context) => {
      const [work, subject = ''] = key.split('|')
      if (work === 'finished') return removeSurplus(context, terminatedPodThreshold)
      if (work === 'abandoned') return removeAbandoned(context, subject)
      return removeOrphans(context, subject, missingSinceMs)
    },
  })
}

/** Keys are `finished`, `abandoned|namespace/name` and `node|name`. */
function keysOfPod(pod: Pod, { informers }: ControllerContext, previous?: Pod): readonly string[] {
  const keys: string[] = []
  if (isPodTerminal(pod) && (previous === undefined || !isPodTerminal(previous))) keys.push('finished')
  const nodeName = pod.spec.nodeName
  const node = nodeName === undefined ? undefined : informers.of(nodes).get(nodeName)
  if (isAbandoned(pod, node)) keys.push(`abandoned|${keyOf(pod)}`)
  if (nodeName !== undefined && nodeName !== '' && node === undefined) keys.push(`node|${nodeName}`)
  return keys
}

function keysOfNode(node: Node, { informers }: ControllerContext): readonly string[] {
  const { name } = node.metadata
  if (informers.of(nodes).get(name) === undefined) return [`node|${name}`]
  if (!node.spec?.taints?.some(({ key }) => key.endsWith('/out-of-service'))) return []
  return podsOnNode(informers, name).map((pod) => `abandoned|${keyOf(pod)}`)
}

async function removeSurplus(context: ControllerContext, threshold: number): Promise<void> {
  const finished = context.informers.of(pods).index('finished', (pod) => (isPodTerminal(pod) ? ['yes'] : []))('yes')
  for (const pod of surplusPods(finished, threshold)) await remove(context, pod, 'terminated')
}

async function removeAbandoned(context: ControllerContext, key: string): Promise<void> {
  const { namespace, name } = splitKey(key)
  const pod = context.informers.of(pods).get(name, namespace)
  const nodeName = pod?.spec.nodeName
  const node = nodeName === undefined ? undefined : context.informers.of(nodes).get(nodeName)
  if (pod === undefined || !isAbandoned(pod, node)) return
  await remove(context, pod, node === undefined ? 'unscheduled' : 'out-of-service')
}

async function removeOrphans(
  context: ControllerContext,
  nodeName: string,
  missingSinceMs: Map<string, number>,
): Promise<ReconcileResult | void> {
  const { informers, clock, client } = context
  const orphans = podsOnNode(informers, nodeName)
  if (orphans.length === 0 || informers.of(nodes).get(nodeName) !== undefined) {
    missingSinceMs.delete(nodeName)
    return
  }
  const sinceMs = missingSinceMs.get(nodeName) ?? clock.monotonic()
  missingSinceMs.set(nodeName, sinceMs)
  const leftMs = sinceMs + quarantineMs - clock.monotonic()
  if (leftMs > 0) return { requeueAfterMs: leftMs }
  const live = await client.resource(nodes).get(nodeName).catch(unlessGone)
  if (live !== undefined) return
  for (const pod of orphans) await remove(context, pod, 'orphaned')
}

type Reason = 'terminated' | 'unscheduled' | 'out-of-service' | 'orphaned'

/** What is said of pods that may have been running. */
const disruptions: Readonly<Partial<Record<Reason, string>>> = {
  'out-of-service': 'PodGC: node is out-of-service',
  orphaned: 'PodGC: node no longer exists',
}

/** Deletes at once. A pod that may have been running is first marked as failed, so that its owner counts it as such. */
async function remove({ client, clock, metrics }: ControllerContext, pod: Pod, reason: Reason): Promise<void> {
  const why = disruptions[reason]
  const { name, namespace, uid } = pod.metadata
  const collection = client.resource(pods, namespace)
  try {
    if (why !== undefined && !isPodTerminal(pod)) {
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByPodGC',
        message: why,
        lastTransitionTime: formatTime(clock.now()),
      }
      const patch = { metadata: { uid }, status: { phase: 'Failed', conditions: [condition] } }
      await collection.patch(name, { type: 'strategic', patch }, { subresource: 'status' })
    }
    await collection.delete(name, { gracePeriodSeconds: 0, preconditions: { uid } })
    metrics.counter('pod_gc_collector_force_delete_pods_total', help).add({ namespace: namespace ?? '', reason })
  } catch (error) {
    unlessGone(error)
  }
}

function unlessGone(error: unknown): undefined {
  if (isStatusError(error, 'NotFound')) return undefined
  throw error
}
