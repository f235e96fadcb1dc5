import { readFile } from 'node:fs/promises'
import type { Client } from '#client/client.ts'
import { defaultSettings, type KubeletSettings } from '#kubelet/configuration/kubelet-settings.ts'
import { tokenReviewer } from '#kubelet/server/authentication.ts'
import { fileCertificate } from '#kubelet/server/file-certificate.ts'
import { subjectAccessReviewer } from '#kubelet/server/kubelet-access.ts'
import type { KubeletServerOptions } from '#kubelet/server/server-context.ts'
import type { ServingCertificate } from '#kubelet/server/serving-certificate.ts'
import type { Effects } from './effects.ts'

/** What the node's own server needs. */
export interface NodeKeys {
  /** PEM of the authority whose client certificates are believed. */
  readonly clientCa: string
  readonly serving: ServingCertificate
}

interface NodeServerOptions {
  /** Acts as the node's kubelet. */
  readonly client: Client
  readonly keys: NodeKeys
  /** Listened on where the configuration names no other. */
  readonly address: string
  readonly settings?: KubeletSettings
  readonly effects: Effects
}

/** How the node's own server is reached, whom it believes and what it shows of itself. */
export async function kubeletServer(
  { client, keys, address, settings = defaultSettings, effects }: NodeServerOptions,
  signal: AbortSignal,
): Promise<KubeletServerOptions> {
  const { clock, log } = effects
  const { configuration: given } = settings
  const { authentication, authorization, tlsCertFile = '', tlsPrivateKeyFile = '' } = given
  const { clientCAFile = '' } = authentication.x509 ?? {}
  const { cacheAuthorizedTTL: allowedMs, cacheUnauthorizedTTL: refusedMs } = authorization.webhook
  const serving =
    tlsCertFile === ''
      ? keys.serving
      : await fileCertificate({ certificateFile: tlsCertFile, keyFile: tlsPrivateKeyFile, clock, log, signal })
  return {
    address: given.address || address,
    port: given.port,
    serving,
    clientCa: clientCAFile === '' ? keys.clientCa : await clientAuthority(clientCAFile),
    reviewToken: tokenReviewer(client, clock, authentication.webhook.cacheTTL),
    authorize: subjectAccessReviewer(client, { clock, allowedMs, refusedMs }),
  }
}

function clientAuthority(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new Error(`unable to load client CA file ${path}: ${error instanceof Error ? error.message : String(error)}`)
  })
}
