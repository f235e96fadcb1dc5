import { tokenSecretType } from '#api/core/v1/legacy-token.ts'
import { keyOf, splitKey } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Secret, ServiceAccount } from '#api/types/core.v1.ts'
import { secrets, serviceAccounts } from '#api/types/resources.ts'
import { defineController, watchOf, type Controller, type ControllerContext } from '#reconcile/controller.ts'
import { accountAnnotation, decideTokenSecret, type SignToken } from './decide.ts'

export interface TokenSecretOptions {
  /** PEM of the CA by which holders of a token know the API server. */
  readonly rootCa: string
  readonly signToken: SignToken
}

/** Fills in the tokens of secrets that are made for a service account, and deletes those whose account is gone. */
export function serviceAccountTokenController(options: TokenSecretOptions): Controller {
  return defineController({
    name: 'service-account-token-controller',
    watches: [watchOf(secrets, keysOfSecret), watchOf(serviceAccounts, secretsOfAccount)],
    writes: [
      { resource: secrets, verbs: ['update', 'delete'] },
      { resource: serviceAccounts, verbs: ['get'] },
    ],
    reconcile: (key, context) => reconcile(key, context, options),
  })
}

function keysOfSecret(secret: Secret): readonly string[] {
  return secret.type === tokenSecretType ? [keyOf(secret)] : []
}

function secretsOfAccount({ metadata }: ServiceAccount, { informers }: ControllerContext): readonly string[] {
  const byAccount = informers.of(secrets).index('service-account', (secret) => {
    const name = secret.type === tokenSecretType ? secret.metadata.annotations?.[accountAnnotation] : undefined
    return name === undefined ? [] : [`${secret.metadata.namespace}/${name}`]
  })
  return byAccount(`${metadata.namespace}/${metadata.name}`).map(keyOf)
}

async function reconcile(key: string, context: ControllerContext, options: TokenSecretOptions): Promise<void> {
  const { informers, client } = context
  const { namespace, name } = splitKey(key)
  const secret = informers.of(secrets).get(name, namespace)
  if (secret?.type !== tokenSecretType || secret.metadata.deletionTimestamp !== undefined) return
  const account = await accountOf(secret, context)
  const decision = decideTokenSecret(secret, account, options)
  const collection = client.resource(secrets, namespace)
  const { uid, resourceVersion } = secret.metadata
  if (decision.type === 'update') await collection.update(decision.secret)
  if (decision.type === 'delete') {
    await collection.delete(name, { preconditions: { uid, resourceVersion } }).catch((error: unknown) => {
      if (!isStatusError(error, 'NotFound')) throw error
    })
  }
}

/** An informer may be behind: only the server can say that an account is gone. */
async function accountOf(
  { metadata }: Secret,
  { informers, client }: ControllerContext,
): Promise<ServiceAccount | undefined> {
  const name = metadata.annotations?.[accountAnnotation] ?? ''
  if (name === '') return undefined
  const known = informers.of(serviceAccounts).get(name, metadata.namespace)
  if (known !== undefined) return known
  return client
    .resource(serviceAccounts, metadata.namespace)
    .get(name)
    .catch((error: unknown) => {
      if (isStatusError(error, 'NotFound')) return undefined
      throw error
    })
}
