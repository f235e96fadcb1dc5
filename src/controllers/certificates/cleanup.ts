import type { CertificateSigningRequest } from '#api/types/certificates.v1.ts'
import { certificateSigningRequests } from '#api/types/resources.ts'
import { isStatusError } from '#api/meta/status.ts'
import { defineController, watchOf, type ControllerContext, type ReconcileResult } from '#reconcile/controller.ts'

const hourMs = 3_600_000
const decidedLifeMs = hourMs
const pendingLifeMs = 24 * hourMs

/** Deletes requests that nobody needs any more: decided ones after an hour, undecided ones after a day. */
export const certificateCleanupController = defineController({
  name: 'certificate-cleanup-controller',
  serviceAccount: 'certificate-controller',
  watches: [watchOf(certificateSigningRequests)],
  writes: [{ resource: certificateSigningRequests, verbs: ['delete'] }],
  reconcile,
})

async function reconcile(
  name: string,
  { informers, client, clock }: ControllerContext,
): Promise<ReconcileResult | void> {
  const request = informers.of(certificateSigningRequests).get(name)
  if (request === undefined) return
  const leftMs = endOfLifeMs(request) - clock.now()
  if (leftMs > 0) return { requeueAfterMs: leftMs }
  const { uid } = request.metadata
  try {
    await client.resource(certificateSigningRequests).delete(name, { preconditions: { uid } })
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error
  }
}

/** An approved request without its certificate still waits for its signer, so it counts as undecided. */
function endOfLifeMs({ metadata, status }: CertificateSigningRequest): number {
  const conditions = status?.conditions ?? []
  const decided = conditions.filter(({ type }) => type !== 'Approved' || status?.certificate)
  if (decided.length === 0) return Date.parse(metadata.creationTimestamp) + pendingLifeMs
  const times = decided.map(({ lastUpdateTime }) => Date.parse(lastUpdateTime ?? metadata.creationTimestamp))
  return Math.min(...times) + decidedLifeMs
}
