import { readFile } from 'node:fs/promises'
import { parseDuration } from '#lib/go-duration.ts'
import { parseYaml } from '#lib/yaml.ts'

/** One program that knows credentials, as a `CredentialProviderConfig` names it. */
export interface CredentialProviderSpec {
  readonly name: string
  readonly matchImages: readonly string[]
  readonly defaultCacheMs: number
  readonly apiVersion: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

const configVersions = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `kubelet.config.k8s.io/${version}`)
const providerVersions = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `credentialprovider.kubelet.k8s.io/${version}`)

interface WrittenProvider {
  readonly name?: string
  readonly matchImages?: readonly string[]
  readonly defaultCacheDuration?: string
  readonly apiVersion?: string
  readonly args?: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value: string }[]
  readonly tokenAttributes?: object
}

/** Reads the file that names a node's credential providers. Throws one sentence when a node must not start with it. */
export async function readCredentialProviders(path: string): Promise<readonly CredentialProviderSpec[]> {
  const fail = (why: string): never => {
    throw new Error(`failed to load credential provider config file "${path}": ${why}`)
  }
  const text = await readFile(path, 'utf8').catch((error: Error) => fail(error.message))
  const value = (parseYaml(text).value ?? {}) as { kind?: string; apiVersion?: string; providers?: WrittenProvider[] }
  if (value.kind !== 'CredentialProviderConfig' || !configVersions.includes(value.apiVersion ?? ''))
    fail(`no kind "${value.kind}" is registered for version "${value.apiVersion}"`)
  const providers = value.providers ?? []
  if (providers.length === 0) fail('providers: Required value: at least 1 item in plugins is required')
  const names = providers.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) fail(`providers: Duplicate value: "${twice}"`)
  return providers.map((provider, index) => specOf(provider, (why) => fail(`providers[${index}].${why}`)))
}

function specOf(provider: WrittenProvider, fail: (why: string) => never): CredentialProviderSpec {
  const { name = '', matchImages = [], defaultCacheDuration = '', apiVersion = '', args = [], env = [] } = provider
  if (name === '') fail('name: Required value: name is required')
  if (name.includes('/') || name.includes(' ') || name === '.' || name === '..')
    fail(`name: Invalid value: "${name}": provider name must not contain path separators or spaces`)
  if (matchImages.length === 0) fail('matchImages: Required value: at least 1 item in matchImages is required')
  if (!providerVersions.includes(apiVersion)) fail(`apiVersion: Unsupported value: "${apiVersion}"`)
  if (provider.tokenAttributes !== undefined)
    fail('tokenAttributes: tokens of service accounts are not given to providers here')
  const defaultCacheMs = parseDuration(defaultCacheDuration)
  if (defaultCacheMs === undefined) fail('defaultCacheDuration: Required value: defaultCacheDuration is required')
  const environment = Object.fromEntries(env.map((entry) => [entry.name, entry.value]))
  return { name, matchImages, defaultCacheMs: defaultCacheMs ?? 0, apiVersion, args, environment }
}
