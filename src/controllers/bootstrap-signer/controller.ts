import { isDeepStrictEqual } from 'node:util'
import { bootstrapTokenFacts, bootstrapTokenNamespace } from '#api/core/v1/bootstrap-token.ts'
import type { Secret } from '#api/types/core.v1.ts'
import { configMaps, secrets } from '#api/types/resources.ts'
import { defineController, watchOf, type ControllerContext, type ReconcileResult } from '#reconcile/controller.ts'
import { detachedSignature } from './signature.ts'

const place = { name: 'cluster-info', namespace: 'kube-public' } as const
const key = `${place.namespace}/${place.name}`
const signaturePrefix = 'jws-kubeconfig-'

/** Signs the cluster's discovery with every bootstrap token meant for that, so that who has one can trust it. */
export const bootstrapSigner = defineController({
  name: 'bootstrap-signer',
  watches: [
    watchOf(configMaps, ({ metadata }) =>
      metadata.name === place.name && metadata.namespace === place.namespace ? [key] : [],
    ),
    watchOf(secrets, (secret) => (isToken(secret) ? [key] : [])),
  ],
  writes: [{ resource: configMaps, objectName: place.name, verbs: ['update'] }],
  reconcile,
})

function isToken(secret: Secret): boolean {
  return secret.metadata.namespace === bootstrapTokenNamespace && bootstrapTokenFacts(secret) !== undefined
}

async function reconcile(
  _key: string,
  { informers, client, clock }: ControllerContext,
): Promise<ReconcileResult | void> {
  const info = informers.of(configMaps).get(place.name, place.namespace)
  const kubeconfig = info?.data?.['kubeconfig']
  if (info === undefined || kubeconfig === undefined) return
  const data: Record<string, string> = {}
  for (const [name, text] of Object.entries(info.data ?? {})) if (!name.startsWith(signaturePrefix)) data[name] = text
  const waits: number[] = []
  for (const secret of informers.of(secrets).list(bootstrapTokenNamespace)) {
    const facts = bootstrapTokenFacts(secret)
    if (facts === undefined || !facts.usages.includes('signing')) continue
    const leftMs = (facts.expiresAtMs ?? Infinity) - clock.now()
    if (leftMs <= 0) continue
    if (Number.isFinite(leftMs)) waits.push(leftMs)
    const tokenSecret = Buffer.from(secret.data?.['token-secret'] ?? '', 'base64').toString('utf8')
    if (tokenSecret === '') continue
    data[`${signaturePrefix}${facts.id}`] = detachedSignature(kubeconfig, { id: facts.id, secret: tokenSecret })
  }
  if (!isDeepStrictEqual(data, { ...info.data })) {
    await client.resource(configMaps, place.namespace).update({ ...info, data })
  }
  if (waits.length > 0) return { requeueAfterMs: Math.min(...waits) }
}
