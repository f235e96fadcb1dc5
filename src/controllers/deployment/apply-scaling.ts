import type { ReplicaSet } from '#api/types/apps.v1.ts'
import { replicaSets } from '#api/types/resources.ts'
import type { ControllerContext } from '#reconcile/controller.ts'
import { changedAnnotations } from './annotations.ts'
import { sizeAnnotations, type Rollout } from './current-replica-set.ts'
import type { Scaling } from './rolling-update.ts'
import { replicasOf } from './rollout-facts.ts'

/**
 * Writes the sizes, tells of each change as `ScalingReplicaSet`, and answers the rollout with what was written. Only
 * this controller scales these sets, so the patch needs no revision and never collides with their status.
 */
export async function applyScaling(
  { client, events }: ControllerContext,
  rollout: Rollout,
  scalings: readonly Scaling[],
): Promise<{ rollout: Rollout; hasScaled: boolean }> {
  const { deployment } = rollout
  const written = new Map<ReplicaSet, ReplicaSet>()
  let hasScaled = false
  for (const { replicaSet, replicas } of scalings) {
    const annotations = changedAnnotations(replicaSet.metadata.annotations, sizeAnnotations(deployment))
    const before = replicasOf(replicaSet)
    if (before === replicas && Object.keys(annotations).length === 0) continue
    const { name, namespace } = replicaSet.metadata
    const patch = { metadata: { annotations }, spec: { replicas } }
    written.set(replicaSet, await client.resource(replicaSets, namespace).patch(name, { type: 'merge', patch }))
    if (before === replicas) continue
    hasScaled = true
    const direction = before < replicas ? 'up' : 'down'
    const message = `Scaled ${direction} replica set ${name} from ${before} to ${replicas}`
    events.record(deployment, 'Normal', 'ScalingReplicaSet', message)
  }
  const latest = (set: ReplicaSet): ReplicaSet => written.get(set) ?? set
  const current = rollout.current && latest(rollout.current)
  return { rollout: { ...rollout, current, sets: rollout.sets.map(latest) }, hasScaled }
}
