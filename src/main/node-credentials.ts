import { homedir } from 'node:os'
import { join } from 'node:path'
import type { HostLayout } from '#host/layout.ts'
import { dockerConfigCredentials, joinedCredentials, type NodeCredentials } from '#kubelet/images/node-credentials.ts'
import type { Effects } from './effects.ts'

/** Where a node's credential providers are. */
export interface CredentialProviderFiles {
  /** A `CredentialProviderConfig`. */
  readonly configFile: string
  readonly binDir: string
}

export interface NodeCredentialsOptions {
  readonly layout: HostLayout
  readonly effects: Effects
  readonly credentialProviders?: CredentialProviderFiles
}

/** What the node may show to registries: docker's configuration in the usual places, and what providers answer. */
export async function nodeCredentials(options: NodeCredentialsOptions): Promise<NodeCredentials> {
  const { layout, effects, credentialProviders: files } = options
  const configured = dockerConfigCredentials([layout.kubeletDir, join(homedir(), '.docker'), '/.docker'])
  if (files === undefined) return configured
  const { readCredentialProviders } = await import('#kubelet/images/credential-provider-config.ts')
  const { credentialProviders } = await import('#kubelet/images/credential-providers.ts')
  const providers = await readCredentialProviders(files.configFile)
  const asked = credentialProviders({ ...effects, providers, folder: files.binDir })
  return joinedCredentials([configured, asked])
}
