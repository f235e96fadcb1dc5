import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { runCommand } from '#lib/command.ts'
import { parseDuration } from '#lib/go-duration.ts'
import type { Log } from '#lib/log.ts'
import { LruMap } from '#lib/lru-map.ts'
import type { CredentialProviderSpec } from './credential-provider-config.ts'
import { authConfig, matchesImage, mostSpecificFirst, type DockerAuths, type KeptAuth } from './docker-config.ts'
import { parseImageName } from './image-name.ts'
import type { NodeCredentials } from './node-credentials.ts'

export interface CredentialProvidersOptions {
  readonly providers: readonly CredentialProviderSpec[]
  /** Folder of the programs. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
}

interface Answer {
  readonly kind?: string
  readonly apiVersion?: string
  readonly cacheKeyType?: string
  readonly cacheDuration?: string
  readonly auth?: DockerAuths
}

interface CachedAuths {
  readonly auths: DockerAuths
  readonly untilMs: number
}

const cachedMax = 500
const timeoutMs = 60_000

/** Asks programs for credentials (KEP-2133) and keeps their answers for as long as they say. */
export function credentialProviders({ providers, folder, clock, log }: CredentialProvidersOptions): NodeCredentials {
  const cache = new LruMap<string, CachedAuths>(cachedMax)
  const cached = (keys: readonly string[]): DockerAuths | undefined =>
    keys.map((key) => cache.get(key)).find((entry) => entry !== undefined && entry.untilMs > clock.now())?.auths
  const ask = async (spec: CredentialProviderSpec, image: string): Promise<DockerAuths> => {
    const keys = cacheKeys(spec.name, image)
    const known = cached(Object.values(keys))
    if (known) return known
    const answer = await runProvider(spec, folder, image)
    const forMs = answer.cacheDuration === undefined ? spec.defaultCacheMs : (parseDuration(answer.cacheDuration) ?? 0)
    const key = keys[answer.cacheKeyType as keyof typeof keys]
    if (key === undefined)
      throw new Error(`credential provider plugin did not return a valid cacheKeyType: "${answer.cacheKeyType}"`)
    const auths = answer.auth ?? {}
    if (forMs > 0) cache.set(key, { auths, untilMs: clock.now() + forMs })
    return auths
  }
  return {
    async of(image) {
      const found: KeptAuth[] = []
      for (const spec of providers.filter(({ matchImages }) =>
        matchImages.some((pattern) => matchesImage(pattern, image)),
      )) {
        try {
          found.push(...keptOf(await ask(spec, image), image))
        } catch (error) {
          log.error('credential provider failed', { provider: spec.name, error })
        }
      }
      return mostSpecificFirst(found).map(({ auth }) => auth)
    },
  }
}

function keptOf(auths: DockerAuths, image: string): KeptAuth[] {
  return Object.entries(auths).flatMap(([pattern, entry]) =>
    matchesImage(pattern, image) ? [{ path: pattern, auth: authConfig(entry) }] : [],
  )
}

function cacheKeys(provider: string, image: string): Readonly<Record<'Image' | 'Registry' | 'Global', string>> {
  const { registry, repository } = parseImageName(image)
  return {
    Image: `${provider} image ${registry}/${repository}`,
    Registry: `${provider} registry ${registry}`,
    Global: `${provider} global`,
  }
}

async function runProvider(
  { name, apiVersion, args, environment }: CredentialProviderSpec,
  folder: string,
  image: string,
): Promise<Answer> {
  const { registry, repository } = parseImageName(image)
  const request = { apiVersion, kind: 'CredentialProviderRequest', image: `${registry}/${repository}` }
  const { stdout } = await runCommand(join(folder, name), args, {
    input: JSON.stringify(request),
    environment,
    timeoutMs,
  })
  const answer = JSON.parse(stdout) as Answer
  if (answer.kind !== 'CredentialProviderResponse' || answer.apiVersion !== apiVersion)
    throw new Error(
      `apiVersion and kind of its answer are ${answer.apiVersion} ${answer.kind}, not ${apiVersion} CredentialProviderResponse`,
    )
  return answer
}
