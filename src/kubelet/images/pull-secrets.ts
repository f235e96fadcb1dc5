import { secrets } from '#api/types/resources.ts'
import type { Pod, Secret } from '#api/types/core.v1.ts'
import type { AuthConfig } from '../cri/image.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import { parseImageName } from './image-name.ts'

interface DockerAuth {
  readonly username?: string
  readonly password?: string
  readonly auth?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
}

/**
 * The credentials that the pod's pull secrets hold for an image, the most specific registry path first, and the names
 * of the secrets that could not be found.
 */
export async function pullCredentials(
  pod: Pod,
  image: string,
  objects: PodObjects,
): Promise<{ readonly credentials: readonly AuthConfig[]; readonly missing: readonly string[] }> {
  const missing: string[] = []
  const found: { readonly path: string; readonly auth: AuthConfig }[] = []
  for (const { name = '' } of pod.spec.imagePullSecrets ?? []) {
    const secret = await objects.get(secrets, name)
    if (secret === undefined) missing.push(name)
    else found.push(...matchingAuths(secret, image))
  }
  found.sort((a, b) => b.path.length - a.path.length)
  return { credentials: found.map(({ auth }) => auth), missing }
}

function matchingAuths(secret: Secret, image: string): { readonly path: string; readonly auth: AuthConfig }[] {
  const { registry, repository } = parseImageName(image)
  const target = `${registry}/${repository}`
  return Object.entries(dockerAuths(secret)).flatMap(([server, entry]) => {
    const path = normalizeServer(server)
    if (!matchesRegistry(path, target)) return []
    return [{ path, auth: authConfig(path, entry) }]
  })
}

function dockerAuths(secret: Secret): Readonly<Record<string, DockerAuth>> {
  const read = (key: string): unknown => {
    const text = secret.data?.[key]
    if (text === undefined) return undefined
    try {
      return JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
    } catch {
      return undefined
    }
  }
  const config = read('.dockerconfigjson') as { auths?: Record<string, DockerAuth> } | undefined
  return config?.auths ?? (read('.dockercfg') as Record<string, DockerAuth> | undefined) ?? {}
}

/** `https://index.docker.io/v1/` is how docker writes its own registry. */
function normalizeServer(server: string): string {
  const path = server.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '')
  return path === 'index.docker.io' ? 'docker.io' : path
}

/** Each part of the host may hold `*`; the path must be a prefix by whole names. */
function matchesRegistry(pattern: string, target: string): boolean {
  const [patternHost = '', ...patternPath] = pattern.split('/')
  const [host = '', ...path] = target.split('/')
  const patternLabels = patternHost.split('.')
  const labels = host.split('.')
  if (patternLabels.length !== labels.length) return false
  if (!patternLabels.every((label, index) => globMatches(label, labels[index] ?? ''))) return false
  return patternPath.every((part, index) => part === path[index])
}

function globMatches(pattern: string, text: string): boolean {
  const source = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^.]*')
  return new RegExp(`^${source}$`).test(text)
}

function authConfig(serverAddress: string, entry: DockerAuth): AuthConfig {
  const [username, password] = splitBasic(entry)
  return {
    serverAddress,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(entry.identitytoken !== undefined && { identityToken: entry.identitytoken }),
    ...(entry.registrytoken !== undefined && { registryToken: entry.registrytoken }),
  }
}

function splitBasic({ username, password, auth }: DockerAuth): readonly [string | undefined, string | undefined] {
  if (auth === undefined || auth === '') return [username, password]
  const text = Buffer.from(auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? [username, password] : [text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, '')]
}
