import { dayMs, dayOf, invalidSinceLabel, tokenSecretType, tokenTracking } from '#api/core/v1/legacy-token.ts'
import { keyOf, splitKey } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { ConfigMap, Secret, ServiceAccount } from '#api/types/core.v1.ts'
import { configMaps, pods, secrets, serviceAccounts } from '#api/types/resources.ts'
import { defineController, watchOf, type ControllerContext, type ReconcileResult } from '#reconcile/controller.ts'
import { accountAnnotation, uidAnnotation } from '../service-account-token/decide.ts'
import { fateOfToken } from './decide.ts'

const yearMs = 365 * 86_400_000
/** A pod that holds a token back, or a tracking that has not begun, is looked after again so much later. */
const laterMs = 86_400_000

/** Makes tokens of older clusters invalid that nobody has used for a year, and deletes them after another. */
export const legacyTokenCleaner = defineController({
  name: 'legacy-service-account-token-cleaner',
  watches: [watchOf(secrets, tokenKeys), watchOf(serviceAccounts, keysOfAccount), watchOf(pods, () => [])],
  writes: [
    { resource: secrets, verbs: ['patch', 'delete'] },
    { resource: configMaps, objectName: tokenTracking.name, verbs: ['get'] },
  ],
  reconcile,
})

function tokenKeys(secret: Secret): readonly string[] {
  return secret.type === tokenSecretType ? [keyOf(secret)] : []
}

function keysOfAccount({ metadata, secrets: listed }: ServiceAccount): readonly string[] {
  return (listed ?? []).map(({ name }) => `${metadata.namespace}/${name}`)
}

async function reconcile(key: string, context: ControllerContext): Promise<ReconcileResult | void> {
  const { informers, client, clock } = context
  const { namespace, name } = splitKey(key)
  const secret = informers.of(secrets).get(name, namespace)
  if (secret === undefined || !isGenerated(secret, context)) return
  const trackedSinceMs = dayMs((await tracking(context))?.data?.['since'])
  if (trackedSinceMs === undefined) return { requeueAfterMs: laterMs }
  const fate = fateOfToken(secret, { keepMs: yearMs, trackedSinceMs, nowMs: clock.now() })
  if (typeof fate === 'object') return { requeueAfterMs: Math.min(fate.waitMs, laterMs) }
  if (isMounted(secret, context)) return { requeueAfterMs: laterMs }
  const { uid, resourceVersion } = secret.metadata
  const collection = client.resource(secrets, namespace)
  if (fate === 'delete') {
    await collection.delete(name, { preconditions: { uid, resourceVersion } }).catch(unlessGone)
    return
  }
  const labels = { [invalidSinceLabel]: dayOf(clock.now()) }
  const patch = { metadata: { uid, resourceVersion, labels } }
  await collection.patch(name, { type: 'merge', patch }).catch(unlessGone)
}

/** Whether the cluster made the token by itself, as older ones did: then its account lists it. */
function isGenerated({ type, metadata }: Secret, { informers }: ControllerContext): boolean {
  if (type !== tokenSecretType) return false
  const account = informers.of(serviceAccounts).get(metadata.annotations?.[accountAnnotation] ?? '', metadata.namespace)
  if (account === undefined || account.metadata.uid !== metadata.annotations?.[uidAnnotation]) return false
  return account.secrets?.some(({ name }) => name === metadata.name) ?? false
}

function isMounted({ metadata }: Secret, { informers }: ControllerContext): boolean {
  return informers
    .of(pods)
    .list(metadata.namespace)
    .some(({ spec }) => spec.volumes?.some(({ secret }) => secret?.secretName === metadata.name))
}

async function tracking({ client }: ControllerContext): Promise<ConfigMap | undefined> {
  return client.resource(configMaps, tokenTracking.namespace).get(tokenTracking.name).catch(unlessGone)
}

function unlessGone(error: unknown): undefined {
  if (!isStatusError(error, 'NotFound')) throw error
}
