import { secrets } from '#api/types/resources.ts'
import type { Pod, Secret } from '#api/types/core.v1.ts'
import type { AuthConfig } from '../cri/image.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import { credentialHash } from './image-access.ts'
import type { SecretUse } from './pull-records.ts'
import {
  authsOfConfig,
  authsOfLegacyConfig,
  matchingAuths,
  mostSpecificFirst,
  type DockerAuths,
  type KeptAuth,
} from './docker-config.ts'

/** Credentials for one pull, and the secret that they are from. */
export interface PullCredential {
  readonly auth: AuthConfig
  readonly secret: SecretUse
}

/**
 * The credentials that the pod's pull secrets hold for an image, the most specific registry path first, and the names
 * of the secrets that could not be found.
 */
export async function pullCredentials(
  pod: Pod,
  image: string,
  objects: PodObjects,
): Promise<{ readonly credentials: readonly PullCredential[]; readonly missing: readonly string[] }> {
  const missing: string[] = []
  const found: (KeptAuth & PullCredential)[] = []
  for (const { name = '' } of pod.spec.imagePullSecrets ?? []) {
    const secret = await objects.get(secrets, name)
    if (secret === undefined) missing.push(name)
    else found.push(...matchingAuths(authsOf(secret), image).map((kept) => ({ ...kept, secret: useOf(secret, kept) })))
  }
  return { credentials: mostSpecificFirst(found).map(({ auth, secret }) => ({ auth, secret })), missing }
}

function useOf({ metadata: { uid, namespace = '', name } }: Secret, { auth }: KeptAuth): SecretUse {
  return { uid, namespace, name, credentialHash: credentialHash(auth) }
}

function authsOf({ data = {} }: Secret): DockerAuths {
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8')
  return data['.dockerconfigjson'] === undefined
    ? authsOfLegacyConfig(text('.dockercfg'))
    : authsOfConfig(text('.dockerconfigjson'))
}
