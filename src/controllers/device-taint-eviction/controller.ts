import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import { keyOf, splitKey } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { ResourceClaim, ResourceSlice } from '#api/types/resource.v1.ts'
import { pods, resourceClaims, resourceSlices } from '#api/types/resources.ts'
import { formatTime } from '#lib/clock.ts'
import { defineController, watchOf, type ControllerContext, type ReconcileResult } from '#reconcile/controller.ts'
import { evictionTimeMs } from './decide.ts'

/** Deletes pods that use a device with a `NoExecute` taint that their claim does not tolerate, or no longer. */
export const deviceTaintEvictionController = defineController({
  name: 'device-taint-eviction-controller',
  eventSource: 'device-taint-eviction',
  watches: [watchOf(resourceClaims, usersOf), watchOf(resourceSlices, usersOfSlice), watchOf(pods, () => [])],
  writes: [
    { resource: pods, verbs: ['delete'] },
    { resource: pods, subresource: 'status', verbs: ['patch'] },
  ],
  reconcile,
})

/** The pods that use the claim. */
function usersOf({ metadata, status }: ResourceClaim): readonly string[] {
  const users = (status?.reservedFor ?? []).filter(
    ({ apiGroup = '', resource }) => apiGroup === '' && resource === 'pods',
  )
  return status?.allocation === undefined ? [] : users.map(({ name }) => `${metadata.namespace}/${name}`)
}

function usersOfSlice({ spec }: ResourceSlice, { informers }: ControllerContext): readonly string[] {
  const hasTaint = spec.devices?.some(({ taints = [] }) => taints.some(({ effect }) => effect === 'NoExecute')) ?? false
  if (!hasTaint) return []
  const isFrom = ({ status }: ResourceClaim): boolean =>
    status?.allocation?.devices?.results?.some(
      ({ driver, pool }) => driver === spec.driver && pool === spec.pool.name,
    ) ?? false
  return informers.of(resourceClaims).list().filter(isFrom).flatMap(usersOf)
}

async function reconcile(key: string, context: ControllerContext): Promise<ReconcileResult | void> {
  const { informers, clock } = context
  const { namespace, name } = splitKey(key)
  const pod = informers.of(pods).get(name, namespace)
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || isPodTerminal(pod)) return
  const slices = informers.of(resourceSlices).list()
  const nowMs = clock.now()
  const used = informers
    .of(resourceClaims)
    .list(namespace)
    .filter((claim) => isUsedBy(claim, pod))
  const times = used.map((claim) => evictionTimeMs(claim, slices, nowMs)).filter((time) => time !== undefined)
  if (times.length === 0) return
  const atMs = Math.min(...times)
  if (atMs > nowMs) return { requeueAfterMs: atMs - nowMs }
  await evict(pod, context)
}

function isUsedBy({ status }: ResourceClaim, { metadata }: Pod): boolean {
  return status?.reservedFor?.some(({ uid }) => uid === metadata.uid) ?? false
}

async function evict(pod: Pod, { client, clock, events }: ControllerContext): Promise<void> {
  const { name, namespace, uid } = pod.metadata
  const collection = client.resource(pods, namespace)
  events.record(pod, 'Normal', 'DeviceTaintManagerEviction', `Marking for deletion Pod ${keyOf(pod)}`)
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByDeviceTaintManager',
    message: 'Device Taint manager: deleting due to NoExecute taint',
    lastTransitionTime: formatTime(clock.now()),
  }
  try {
    const patch = { metadata: { uid }, status: { conditions: [condition] } }
    await collection.patch(name, { type: 'strategic', patch }, { subresource: 'status' })
    await collection.delete(name, { preconditions: { uid } })
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error
  }
}
