import type { AuthConfig } from '../cri/image.ts'
import { parseImageName } from './image-name.ts'

/** An entry of a docker configuration: how to speak to one registry. */
export interface DockerAuth {
  readonly username?: string
  readonly password?: string
  readonly auth?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
}

export type DockerAuths = Readonly<Record<string, DockerAuth>>

/** Credentials, and for which path of registries they were kept. */
export interface KeptAuth {
  readonly path: string
  readonly auth: AuthConfig
}

/** The entries of a `config.json`, whose text may be anything. */
export function authsOfConfig(text: string): DockerAuths {
  return (parsed(text) as { auths?: DockerAuths } | undefined)?.auths ?? {}
}

/** The entries of a `.dockercfg`. */
export function authsOfLegacyConfig(text: string): DockerAuths {
  return (parsed(text) as DockerAuths | undefined) ?? {}
}

function parsed(text: string): object | undefined {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** The credentials that may be used for the image. */
export function matchingAuths(auths: DockerAuths, image: string): readonly KeptAuth[] {
  return Object.entries(auths).flatMap(([server, entry]) => {
    const path = normalizeServer(server)
    return matchesImage(path, image) ? [{ path, auth: authConfig(entry) }] : []
  })
}

/** Those of the most specific path first: they are tried in this order. */
export function mostSpecificFirst<Kept extends KeptAuth>(kept: readonly Kept[]): readonly Kept[] {
  return [...kept].sort((a, b) => b.path.length - a.path.length)
}

/** `https://index.docker.io/v1/` is how docker writes its own registry. */
function normalizeServer(server: string): string {
  const path = server.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '')
  return path === 'index.docker.io' ? 'docker.io' : path
}

/**
 * Whether a pattern such as `*.example.com:5000/team` covers the image: each part of the host may hold `*`, the path
 * must be a prefix by whole names, and a port must be the same.
 */
export function matchesImage(pattern: string, image: string): boolean {
  const { registry, repository } = parseImageName(image)
  const [patternHost = '', ...patternPath] = pattern.replace(/\/$/, '').split('/')
  const path = repository.split('/')
  const patternLabels = patternHost.split('.')
  const labels = registry.split('.')
  if (patternLabels.length !== labels.length) return false
  if (!patternLabels.every((label, index) => globMatches(label, labels[index] ?? ''))) return false
  return patternPath.every((part, index) => part === path[index])
}

function globMatches(pattern: string, text: string): boolean {
  const source = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^.]*')
  return new RegExp(`^${source}$`).test(text)
}

/**
 * As the runtime gets it. No server is named: the runtime would compare it with the registry, and an address without a
 * scheme is equal to none.
 */
export function authConfig(entry: DockerAuth): AuthConfig {
  const [username, password] = splitBasic(entry)
  return {
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
