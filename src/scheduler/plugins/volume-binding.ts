import type { Node, PersistentVolume, Pod } from '#api/types/core.v1.ts'
import { keyOf } from '#api/meta/resource.ts'
import type { ClusterObjects } from '../cluster-objects.ts'
import { definePlugin, Veto, type ClusterChange, type SchedulerPlugin } from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'
import { bindClaims } from '../volumes/bind-claims.ts'
import { claimChoices, planClaims, suitsNode, type ClaimChoice, type ClaimPlan } from '../volumes/match-volumes.ts'
import { isFullyBound, knownClaims, podClaims, selectedNodeAnnotation, waitsForPod } from '../volumes/pod-claims.ts'

const plugin = 'VolumeBinding'
const reject = (reason: string) => ({ plugin, reason, unresolvable: true })
const affinityRejection = reject("node(s) didn't match PersistentVolume's node affinity")
const bindRejection = reject("node(s) didn't find available persistent volumes to bind")
const roomRejection = reject('node(s) did not have enough free storage')
const missingRejection = reject('node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)')

interface VolumeState {
  readonly bound: readonly (PersistentVolume | undefined)[]
  readonly waiting: readonly ClaimChoice[]
  readonly objects: ClusterObjects
  readonly assumed: Map<string, string>
  /** How the claims that wait would be served, by node. */
  readonly plans: Map<string, readonly ClaimPlan[]>
}

export interface VolumeBindingOptions {
  /** How long a binding waits for volumes to be made; default 10 minutes. */
  readonly bindTimeoutMs?: number
}

/**
 * A pod goes only where its volumes can be used. Claims of classes with `WaitForFirstConsumer` get their volume, or a
 * node for it to be made on, when the pod gets its own; all others must be bound before.
 */
export function volumeBinding({ bindTimeoutMs = 10 * 60_000 }: VolumeBindingOptions = {}): SchedulerPlugin {
  return definePlugin<VolumeState>({
    name: plugin,
    preFilter({ pod }, { objects, assumedVolumes: assumed }) {
      if (podClaims(pod).length === 0) return 'skip'
      const problem = claimProblem(pod, objects)
      if (problem !== undefined) return new Veto(plugin, problem)
      const claims = knownClaims(pod, objects)
      const waiting = claims.filter((claim) => !isFullyBound(claim))
      if (waiting.some((claim) => !waitsForPod(claim, objects))) {
        return new Veto(plugin, 'pod has unbound immediate PersistentVolumeClaims')
      }
      const bound = claims.filter(isFullyBound).map(({ spec }) => objects.volumes.get(spec.volumeName ?? ''))
      forgetConfirmed(assumed, objects)
      return { bound, waiting: claimChoices(waiting, objects), objects, assumed, plans: new Map() }
    },
    filter: (_pod, { node }, state) => objection(node, state),
    remedy: ({ pod }, { name }) => {
      const claims = podClaims(pod).map((claim) => claim.name)
      return `provide volumes for ${claims.join(', ')} that can be used on ${name}`
    },
    reserve(_pod, { name }, { plans, assumed }) {
      for (const plan of plans.get(name) ?? [])
        if ('volume' in plan) assumed.set(plan.volume.metadata.name, keyOf(plan.claim))
      return undefined
    },
    unreserve(_pod, { name }, { plans, assumed }) {
      for (const plan of plans.get(name) ?? []) if ('volume' in plan) assumed.delete(plan.volume.metadata.name)
    },
    preBindTakesTime: ({ name }, { plans }) => (plans.get(name) ?? []).length > 0,
    async preBind(_pod, node, context, { plans }) {
      const planned = plans.get(node.metadata.name) ?? []
      if (planned.length > 0) await bindClaims(planned, node, { ...context, timeoutMs: bindTimeoutMs })
    },
    helpedBy,
  })
}

function objection(node: Node, { bound, waiting, objects, assumed, plans }: VolumeState) {
  for (const volume of bound) {
    if (!volume) return missingRejection
    if (!suitsNode(volume, node)) return affinityRejection
  }
  if (waiting.length === 0) return undefined
  const isElsewhere = waiting.some(({ claim }) => {
    const selected = claim.metadata.annotations?.[selectedNodeAnnotation]
    return selected !== undefined && selected !== node.metadata.name
  })
  if (isElsewhere) return bindRejection
  const planned = planClaims(waiting, node, objects, assumed)
  if (planned === 'noVolume') return bindRejection
  if (planned === 'noRoom') return roomRejection
  plans.set(node.metadata.name, planned)
  return undefined
}

/** What was assumed is no longer needed once the watch shows whose the volume is, or that it is gone. */
function forgetConfirmed(assumed: Map<string, string>, { volumes }: ClusterObjects): void {
  for (const name of assumed.keys()) if (volumes.get(name)?.spec.claimRef ?? !volumes.get(name)) assumed.delete(name)
}

function claimProblem(pod: Pod, { claims }: ClusterObjects): string | undefined {
  for (const { name, isEphemeral } of podClaims(pod)) {
    const claim = claims.get(name, pod.metadata.namespace)
    if (!claim && isEphemeral) {
      return `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
    }
    if (!claim) return `persistentvolumeclaim "${name}" not found`
    if (claim.status?.phase === 'Lost') {
      return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName}"`
    }
    if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim "${name}" is being deleted`
    if (isEphemeral && !claim.metadata.ownerReferences?.some(({ uid }) => uid === pod.metadata.uid)) {
      const key = `${pod.metadata.namespace}/`
      return `PVC ${key}${name} was not created for pod ${key}${pod.metadata.name} (pod is not owner)`
    }
  }
  return undefined
}

function helpedBy(change: ClusterChange, { pod }: PodInfo): boolean {
  if (change.type === 'nodeAdded') return true
  if (change.type === 'nodeUpdated') {
    return JSON.stringify(change.node.metadata.labels) !== JSON.stringify(change.previous.metadata.labels)
  }
  if (change.type !== 'storageChanged') return false
  const { kind, metadata } = change.object
  // A driver that no longer tells of its capacity is no longer asked for it.
  if (change.isGone) return kind === 'CSIDriver'
  if (kind === 'VolumeAttachment') return false
  if (kind !== 'PersistentVolumeClaim') return true
  return metadata.namespace === pod.metadata.namespace && podClaims(pod).some(({ name }) => name === metadata.name)
}
