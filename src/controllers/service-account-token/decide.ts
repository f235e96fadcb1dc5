import type { Secret, ServiceAccount } from '#api/types/core.v1.ts'

/** Whose token the secret is to hold. */
export const accountAnnotation = 'kubernetes.io/service-account.name'
/** The account's uid, when the token was made. */
export const uidAnnotation = 'kubernetes.io/service-account.uid'

/** Signs claims with the cluster's key for service accounts. */
export type SignToken = (claims: object) => string

export type TokenSecretDecision =
  | { readonly type: 'keep' }
  | { readonly type: 'delete' }
  | { readonly type: 'update'; readonly secret: Secret }

/** What becomes of a secret made for a token (documentation, "Managing Service Accounts"). Such a token never expires. */
export function decideTokenSecret(
  secret: Secret,
  account: ServiceAccount | undefined,
  { rootCa, signToken }: { readonly rootCa: string; readonly signToken: SignToken },
): TokenSecretDecision {
  const { annotations } = secret.metadata
  if (!annotations?.[accountAnnotation]) return { type: 'keep' }
  const uid = annotations[uidAnnotation]
  if (account === undefined || (uid !== undefined && uid !== account.metadata.uid)) return { type: 'delete' }
  const { data = {}, metadata } = secret
  const authority = encode(rootCa)
  const namespace = encode(metadata.namespace ?? '')
  const isComplete = data['token'] && data['ca.crt'] === authority && data['namespace'] === namespace
  if (isComplete && uid !== undefined) return { type: 'keep' }
  const token = data['token'] || encode(signToken(claimsOf(secret, account)))
  return {
    type: 'update',
    secret: {
      ...secret,
      metadata: { ...metadata, annotations: { ...annotations, [uidAnnotation]: account.metadata.uid } },
      data: { ...data, token, 'ca.crt': authority, namespace },
    },
  }
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}

const claim = 'kubernetes.io/serviceaccount'

function claimsOf({ metadata }: Secret, account: ServiceAccount): object {
  const { namespace = '', name } = metadata
  return {
    iss: 'kubernetes/serviceaccount',
    [`${claim}/namespace`]: namespace,
    [`${claim}/secret.name`]: name,
    [`${claim}/service-account.name`]: account.metadata.name,
    [`${claim}/service-account.uid`]: account.metadata.uid,
    sub: `system:serviceaccount:${namespace}:${account.metadata.name}`,
  }
}
