import { isStatusError } from '#api/meta/status.ts'
import { splitKey } from '#api/meta/resource.ts'
import { podCertificateRequests } from '#api/types/resources.ts'
import { defineController, watchOf, type ControllerContext, type ReconcileResult } from '#reconcile/controller.ts'

/** No request takes longer than this from its creation to its certificate. */
const lifeMs = 15 * 60_000

/** Deletes requests for pods' certificates that have served their time: the kubelet has long read what came of them. */
export const podCertificateCleaner = defineController({
  name: 'podcertificaterequest-cleaner-controller',
  serviceAccount: 'podcertificaterequestcleaner',
  watches: [watchOf(podCertificateRequests)],
  writes: [{ resource: podCertificateRequests, verbs: ['delete'] }],
  reconcile,
})

async function reconcile(
  key: string,
  { informers, client, clock }: ControllerContext,
): Promise<ReconcileResult | void> {
  const { namespace, name } = splitKey(key)
  const request = informers.of(podCertificateRequests).get(name, namespace)
  if (request === undefined) return
  const leftMs = Date.parse(request.metadata.creationTimestamp) + lifeMs - clock.now()
  if (leftMs > 0) return { requeueAfterMs: leftMs }
  const { uid } = request.metadata
  try {
    await client.resource(podCertificateRequests, namespace).delete(name, { preconditions: { uid } })
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error
  }
}
