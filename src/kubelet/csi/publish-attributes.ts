import type { Pod } from '#api/types/core.v1.ts'
import type { CSIDriver } from '#api/types/storage.v1.ts'
import type { PodToken, TokenSource } from '../volumes/token-source.ts'
import type { CsiSource } from './csi-source.ts'

const prefix = 'csi.storage.k8s.io/'
const tokensKey = `${prefix}serviceAccount.tokens`

export interface PublishAttributes {
  /** Beside the volume's own. */
  readonly context: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
  /** When a token is to be replaced. */
  readonly refreshAtMs?: number
}

/** What a driver is told of the pod when it publishes, as far as its CSIDriver object asks for it. */
export async function publishAttributes(
  { pod, tokens }: { readonly pod: Pod; readonly tokens: TokenSource },
  source: CsiSource,
  rules: CSIDriver | undefined,
): Promise<PublishAttributes> {
  const { podInfoOnMount, tokenRequests = [], serviceAccountTokenInSecrets } = rules?.spec ?? {}
  const info = podInfoOnMount === true ? podInfo(pod, source) : {}
  if (tokenRequests.length === 0) return { context: info, secrets: {} }
  const given = await Promise.all(
    tokenRequests.map(async ({ audience, expirationSeconds = 3600 }) => {
      return [audience, await tokens.token(pod, { audience, expirationSeconds })] as const
    }),
  )
  const isSecret = serviceAccountTokenInSecrets === true
  const text = { [tokensKey]: tokensText(given) }
  const refreshAtMs = Math.min(...given.map(([, token]) => token.refreshAtMs))
  return { context: { ...info, ...(!isSecret && text) }, secrets: isSecret ? text : {}, refreshAtMs }
}

function podInfo({ metadata, spec }: Pod, { lifecycle }: CsiSource): Readonly<Record<string, string>> {
  return {
    [`${prefix}pod.name`]: metadata.name,
    [`${prefix}pod.namespace`]: metadata.namespace ?? '',
    [`${prefix}pod.uid`]: metadata.uid,
    [`${prefix}serviceAccount.name`]: spec.serviceAccountName ?? '',
    [`${prefix}ephemeral`]: String(lifecycle === 'Ephemeral'),
  }
}

function tokensText(given: readonly (readonly [string, PodToken])[]): string {
  const entries = given.map(([audience, { token, expirationTimestamp }]) => [audience, { token, expirationTimestamp }])
  return JSON.stringify(Object.fromEntries(entries))
}
