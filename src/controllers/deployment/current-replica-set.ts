import { stableHash } from '#api/meta/hash.ts'
import { controllerReference, isControlledBy } from '#api/meta/owner.ts'
import type { New } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Deployment, DeploymentCondition, ReplicaSet } from '#api/types/apps.v1.ts'
import { deployments, replicaSets } from '#api/types/resources.ts'
import type { ControllerContext } from '#reconcile/controller.ts'
import { isNamespaceTerminating, messageOf } from '../pod-from-template.ts'
import {
  annotationsForCurrent,
  changedAnnotations,
  copiedAnnotations,
  desiredAnnotation,
  maxAnnotation,
  revisionOf,
} from './annotations.ts'
import { currentReplicas } from './rolling-update.ts'
import { desiredReplicas, rollingLimits, revisionAnnotation } from '#api/apps/v1/deployment-facts.ts'
import { findCurrent, isSameTemplate, progressDeadlineMs, templateHashLabel } from './rollout-facts.ts'
import { findCondition, putCondition, type ConditionNews } from './status.ts'

/** A deployment in the middle of a reconcile: what was read, and what was written since. */
export interface Rollout {
  readonly deployment: Deployment
  /** All its ReplicaSets, the current one included, as last written. */
  readonly sets: readonly ReplicaSet[]
  /** The ReplicaSet of the present template. */
  readonly current: ReplicaSet | undefined
  readonly conditions: readonly DeploymentCondition[]
  /** Nothing more can be done now; what was written will wake the key. */
  readonly isStuck?: boolean
}

export function oldSets({ sets, current }: Rollout): readonly ReplicaSet[] {
  return sets.filter((set) => set !== current)
}

/** Finds the current ReplicaSet and gives it its revision and annotations; makes it when told to and there is none. */
export async function syncCurrent(context: ControllerContext, rollout: Rollout, create: boolean): Promise<Rollout> {
  const { deployment, sets } = rollout
  const current = findCurrent(deployment, sets)
  const revision = 1 + Math.max(0, ...sets.filter((set) => set !== current).map(revisionOf))
  if (current !== undefined) return updateCurrent(context, { ...rollout, current }, current, revision)
  return create ? createCurrent(context, rollout, revision) : rollout
}

async function updateCurrent(
  { client, clock }: ControllerContext,
  rollout: Rollout,
  current: ReplicaSet,
  revision: number,
): Promise<Rollout> {
  const { deployment } = rollout
  const annotations = annotationsForCurrent(deployment, current, revision)
  const changed = changedAnnotations(current.metadata.annotations, annotations)
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0
  const found = withNews(rollout, foundNews(current.metadata.name), clock.now(), { onlyFirst: true })
  if (Object.keys(changed).length === 0 && (current.spec.minReadySeconds ?? 0) === minReadySeconds) return found
  const patch = { metadata: { annotations: changed }, spec: { minReadySeconds } }
  const collection = client.resource(replicaSets, current.metadata.namespace)
  return withCurrent(found, await collection.patch(current.metadata.name, { type: 'merge', patch }))
}

async function createCurrent(context: ControllerContext, rollout: Rollout, revision: number): Promise<Rollout> {
  const { client, clock, events } = context
  const { deployment } = rollout
  const wanted = newReplicaSet(rollout, revision)
  const { name } = wanted.metadata as { name: string }
  try {
    const created = await client.resource(replicaSets, deployment.metadata.namespace).create(wanted)
    const replicas = created.spec.replicas ?? 0
    const message = `Scaled up replica set ${name} from 0 to ${replicas}`
    if (replicas > 0) events.record(deployment, 'Normal', 'ScalingReplicaSet', message)
    return withNews(withCurrent(rollout, created), createdNews(name), clock.now())
  } catch (error) {
    if (isStatusError(error, 'AlreadyExists')) return adoptOrAvoid(context, rollout, name)
    if (isNamespaceTerminating(error)) return { ...rollout, isStuck: true }
    const message = `Failed to create new replica set "${name}": ${messageOf(error)}`
    events.record(deployment, 'Warning', 'ReplicaSetCreateError', message)
    await reportFailure(context, withNews(rollout, failedNews(message), clock.now()))
    throw error
  }
}

/** The name is taken: by our own ReplicaSet that the informer has not shown yet, or by another template of equal hash. */
async function adoptOrAvoid({ client, clock }: ControllerContext, rollout: Rollout, name: string): Promise<Rollout> {
  const { deployment } = rollout
  const { namespace } = deployment.metadata
  const taken = await client.resource(replicaSets, namespace).get(name)
  if (isControlledBy(taken, deployment) && isSameTemplate(taken.spec.template, deployment.spec.template)) {
    return withNews(withCurrent(rollout, taken), foundNews(name), clock.now())
  }
  const collisionCount = (deployment.status?.collisionCount ?? 0) + 1
  await client.resource(deployments, namespace).updateStatus({
    ...deployment,
    status: { ...deployment.status, collisionCount },
  })
  return { ...rollout, isStuck: true }
}

async function reportFailure({ client }: ControllerContext, { deployment, conditions }: Rollout): Promise<void> {
  const { status } = deployment
  if (status?.conditions === conditions) return
  const collection = client.resource(deployments, deployment.metadata.namespace)
  await collection.updateStatus({ ...deployment, status: { ...status, conditions } }).catch(() => undefined)
}

function newReplicaSet(rollout: Rollout, revision: number): New<ReplicaSet> {
  const { deployment, sets } = rollout
  const { selector, template, minReadySeconds } = deployment.spec
  const hash = stableHash(template, deployment.status?.collisionCount)
  const labels = { ...template.metadata?.labels, [templateHashLabel]: hash }
  return {
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace,
      labels,
      annotations: {
        ...copiedAnnotations(deployment),
        [revisionAnnotation]: String(revision),
        ...sizeAnnotations(deployment),
      },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: currentReplicas(deployment, sets, undefined),
      ...(minReadySeconds ? { minReadySeconds } : {}),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [templateHashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } as NonNullable<typeof template.metadata> },
    },
  }
}

/** What every ReplicaSet that is scaled is told of the deployment's size. */
export function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const desired = desiredReplicas(deployment)
  return { [desiredAnnotation]: String(desired), [maxAnnotation]: String(desired + rollingLimits(deployment).maxSurge) }
}

function withCurrent(rollout: Rollout, current: ReplicaSet): Rollout {
  const others = rollout.sets.filter((set) => set.metadata.uid !== current.metadata.uid)
  return { ...rollout, current, sets: [...others, current] }
}

function withNews(
  rollout: Rollout,
  news: ConditionNews,
  nowMs: number,
  options: { onlyFirst?: boolean } = {},
): Rollout {
  const { deployment, conditions } = rollout
  if (progressDeadlineMs(deployment) === undefined) return rollout
  if (options.onlyFirst && findCondition(conditions, news.type) !== undefined) return rollout
  return { ...rollout, conditions: putCondition(conditions, news, nowMs) }
}

function createdNews(name: string): ConditionNews {
  const message = `Created new replica set "${name}"`
  return { type: 'Progressing', status: 'True', reason: 'NewReplicaSetCreated', message }
}

function foundNews(name: string): ConditionNews {
  return {
    type: 'Progressing',
    status: 'True',
    reason: 'FoundNewReplicaSet',
    message: `Found new replica set "${name}"`,
  }
}

function failedNews(message: string): ConditionNews {
  return { type: 'Progressing', status: 'False', reason: 'ReplicaSetCreateError', message }
}
