import { controllerOf } from '#api/meta/owner.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { OwnerReference } from '#api/types/meta.v1.ts'
import {
  customResourceDefinitions,
  deployments,
  replicaSets,
  replicationControllers,
  statefulSets,
} from '#api/types/resources.ts'
import type { ControllerContext } from '#reconcile/controller.ts'
import { groupOf } from '../owned-objects.ts'
import { customResource } from '../served-resources.ts'

export interface ScaleOfPods {
  /** Sum of the replicas of all distinct controllers. */
  readonly replicas: number
  /** Pods that no controller keeps: nobody can say how many of them there should be. */
  readonly unmanaged: readonly Pod[]
}

interface Scaled {
  readonly uid: string
  readonly replicas: number
}

type ReplicaObject = KubernetesObject & { readonly spec?: { readonly replicas?: number | undefined } | undefined }

/** How many pods the controllers of these pods want. Throws an Error for a pod whose controller has no scale. */
export async function scaleOfPods(context: ControllerContext, pods: readonly Pod[]): Promise<ScaleOfPods> {
  const scales = new Map<string, number>()
  const asked = new Set<string>()
  const unmanaged: Pod[] = []
  for (const pod of pods) {
    const reference = controllerOf(pod)
    if (reference === undefined) unmanaged.push(pod)
    else if (!asked.has(reference.uid)) {
      asked.add(reference.uid)
      const scaled = await scaleOf(context, reference, pod.metadata.namespace ?? '')
      if (scaled === undefined) throw new Error(`found no controllers for pod "${pod.metadata.name}"`)
      scales.set(scaled.uid, scaled.replicas)
    }
  }
  return { replicas: [...scales.values()].reduce((sum, replicas) => sum + replicas, 0), unmanaged }
}

async function scaleOf(
  context: ControllerContext,
  reference: OwnerReference,
  namespace: string,
): Promise<Scaled | undefined> {
  const { informers } = context
  const known = (resource: Resource<never>): ReplicaObject | undefined => {
    if (resource.kind !== reference.kind || resource.group !== groupOf(reference.apiVersion)) return undefined
    const object = informers.of(resource as Resource<ReplicaObject>).get(reference.name, namespace)
    return object?.metadata.uid === reference.uid ? object : undefined
  }
  const replicaSet = known(replicaSets as Resource<never>)
  const owner = replicaSet && controllerOf(replicaSet)
  if (owner?.kind === 'Deployment') {
    const deployment = informers.of(deployments).get(owner.name, namespace)
    return deployment?.metadata.uid === owner.uid ? scaled(deployment) : undefined
  }
  const object =
    replicaSet ?? known(replicationControllers as Resource<never>) ?? known(statefulSets as Resource<never>)
  return object === undefined ? customScale(context, reference, namespace) : scaled(object)
}

function scaled({ metadata, spec }: ReplicaObject): Scaled {
  return { uid: metadata.uid, replicas: spec?.replicas ?? 1 }
}

/** A custom resource says how many pods it wants by its `scale`. */
async function customScale(
  { informers, client }: ControllerContext,
  { apiVersion, kind, name, uid }: OwnerReference,
  namespace: string,
): Promise<Scaled | undefined> {
  const [group = '', version = ''] = apiVersion.split('/')
  const definition = informers
    .of(customResourceDefinitions)
    .list()
    .find(({ spec }) => spec.group === group && spec.names.kind === kind)
  const resource = definition && customResource(definition)
  if (resource === undefined || resource.group !== group) return undefined
  try {
    const path = `/apis/${group}/${version}/namespaces/${namespace}/${resource.plural}/${name}/scale`
    const scale = (await client.raw({ method: 'GET', path })) as ReplicaObject
    return scale.metadata.uid === uid ? { uid, replicas: scale.spec?.replicas ?? 0 } : undefined
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined
    throw error
  }
}
