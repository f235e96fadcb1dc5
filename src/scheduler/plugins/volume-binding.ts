import type { Node, PersistentVolume, Pod } from '#api/types/core.v1.ts'
import type { ClusterObjects } from '../cluster-objects.ts'
import { definePlugin, Veto, type ClusterChange, type SchedulerPlugin } from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'
import { bindClaims } from '../volumes/bind-claims.ts'
import { claimChoices, planClaims, suitsNode, type ClaimChoice } from '../volumes/match-volumes.ts'
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
    preFilter({ pod }, { objects }) {
      if (podClaims(pod).length === 0) return 'skip'
      const problem = claimProblem(pod, objects)
      if (problem !== undefined) return new Veto(plugin, problem)
      const claims = knownClaims(pod, objects)
      const waiting = claims.filter((claim) => !isFullyBound(claim))
      if (waiting.some((claim) => !waitsForPod(claim, objects))) {
        return new Veto(plugin, 'pod has unbound immediate PersistentVolumeClaims')
      }
      const bound = claims.filter(isFullyBound).map(({ spec }) => objects.volumes.get(spec.volumeName ?? ''))
      return { bound, waiting: claimChoices(waiting, objects), objects }
    },
    filter: (_pod, { node }, state) => objection(node, state),
    remedy: ({ pod }, { name }) => {
      const claims = podClaims(pod).map((claim) => claim.name)
      return `provide volumes for ${claims.join(', ')} that can be used on ${name}`
    },
    async preBind({ pod }, node, context) {
      const { objects } = context
      const waiting = knownClaims(pod, objects).filter((claim) => !isFullyBound(claim))
      if (waiting.length === 0) return
      const plans = planClaims(claimChoices(waiting, objects), node, objects)
      if (typeof plans === 'string') throw new Error('the volumes that were to be bound are no longer available')
      await bindClaims(plans, node, { ...context, timeoutMs: bindTimeoutMs })
    },
    helpedBy,
  })
}

function objection(node: Node, { bound, waiting, objects }: VolumeState) {
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
  const plans = planClaims(waiting, node, objects)
  if (plans === 'noVolume') return bindRejection
  return plans === 'noRoom' ? roomRejection : undefined
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
  if (kind !== 'PersistentVolumeClaim') return true
  return metadata.namespace === pod.metadata.namespace && podClaims(pod).some(({ name }) => name === metadata.name)
}
