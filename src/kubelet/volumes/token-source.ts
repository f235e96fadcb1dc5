import type { Pod } from '#api/types/core.v1.ts'
import type { TokenRequest } from '#api/types/authentication.v1.ts'
import { serviceAccounts } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import type { Clock } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'

/** Service account tokens bound to pods, asked from the API and renewed before they end. */
export interface TokenSource {
  /** A token that is still good for a while, and when to ask again. */
  token(pod: Pod, request: TokenParameters): Promise<PodToken>
  /** Forgets the tokens of a pod. */
  forget(podUid: string): void
}

export interface TokenParameters {
  /** Empty: the API server itself. */
  readonly audience: string
  readonly expirationSeconds: number
}

export interface PodToken {
  readonly token: string
  readonly expirationTimestamp: string
  readonly refreshAtMs: number
}

const oneDayMs = 86_400_000
/** Renewals of many pods that started together are spread over this time. */
const jitterMs = 10_000

export function createTokenSource(options: {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
}): TokenSource {
  const { client, clock, random } = options
  const tokens = new Map<string, Map<string, PodToken>>()
  const request = async (pod: Pod, { audience, expirationSeconds }: TokenParameters): Promise<PodToken> => {
    const { name, namespace = '', uid } = pod.metadata
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        ...(audience !== '' && { audiences: [audience] }),
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    }
    const account = pod.spec.serviceAccountName || 'default'
    const answer = await client
      .resource(serviceAccounts, namespace)
      .createSubresource<TokenRequest>(account, 'token', body)
    const { token, expirationTimestamp } = answer.status ?? {}
    if (token === undefined || expirationTimestamp === undefined) throw new Error('the API server sent no token')
    const nowMs = clock.now()
    const lifetimeMs = Date.parse(expirationTimestamp) - nowMs
    // At 80 % of its life, and each day for tokens that live longer.
    const refreshMs = Math.min(lifetimeMs * 0.8, oneDayMs) - random.next() * Math.min(jitterMs, lifetimeMs * 0.05)
    return { token, expirationTimestamp, refreshAtMs: nowMs + Math.max(refreshMs, 1000) }
  }
  return {
    async token(pod, parameters) {
      const ofPod = tokens.get(pod.metadata.uid) ?? new Map<string, PodToken>()
      tokens.set(pod.metadata.uid, ofPod)
      const key = `${parameters.audience} ${parameters.expirationSeconds}`
      const known = ofPod.get(key)
      if (known && clock.now() < known.refreshAtMs) return known
      const fresh = await request(pod, parameters)
      ofPod.set(key, fresh)
      return fresh
    },
    forget: (podUid) => void tokens.delete(podUid),
  }
}
