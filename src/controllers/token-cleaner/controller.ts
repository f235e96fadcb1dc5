import { bootstrapTokenFacts, bootstrapTokenNamespace } from '#api/core/v1/bootstrap-token.ts'
import { keyOf, splitKey } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Secret } from '#api/types/core.v1.ts'
import { secrets } from '#api/types/resources.ts'
import { defineController, watchOf, type ControllerContext, type ReconcileResult } from '#reconcile/controller.ts'

/** Deletes bootstrap tokens when they expire: the server refuses them from then on anyway. */
export const tokenCleaner = defineController({
  name: 'token-cleaner',
  watches: [watchOf(secrets, (secret) => (expiryMs(secret) === undefined ? [] : [keyOf(secret)]))],
  writes: [{ resource: secrets, verbs: ['delete'] }],
  reconcile,
})

function expiryMs(secret: Secret): number | undefined {
  return secret.metadata.namespace === bootstrapTokenNamespace ? bootstrapTokenFacts(secret)?.expiresAtMs : undefined
}

async function reconcile(
  key: string,
  { informers, client, clock }: ControllerContext,
): Promise<ReconcileResult | void> {
  const { namespace, name } = splitKey(key)
  const secret = informers.of(secrets).get(name, namespace)
  const atMs = secret === undefined ? undefined : expiryMs(secret)
  if (secret === undefined || atMs === undefined) return
  const leftMs = atMs - clock.now()
  if (leftMs > 0) return { requeueAfterMs: leftMs }
  try {
    await client.resource(secrets, namespace).delete(name, { preconditions: { uid: secret.metadata.uid } })
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error
  }
}
