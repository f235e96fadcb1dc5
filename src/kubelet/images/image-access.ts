import { createHash } from 'node:crypto'
import type { AuthConfig } from '../cri/image.ts'
import { parseImageName } from './image-name.ts'
import type { PullRecord, SecretUse } from './pull-records.ts'

/** `imagePullCredentialsVerificationPolicy`, and the images that `NeverVerifyAllowlistedImages` spares. */
export interface VerificationSettings {
  readonly policy: string
  readonly allowlist: readonly string[]
}

export interface AccessQuestion extends VerificationSettings {
  readonly image: string
  readonly record: PullRecord | undefined
  /** Whether this node has pulled the image, or has begun to. */
  readonly isPulledByNode: boolean
  /** What the pod has to show. */
  readonly secrets: readonly SecretUse[]
}

/** The secret by which the pod may use an image that is there, `true` when it needs none, `false` when it must pull. */
export function imageAccess(question: AccessQuestion): SecretUse | boolean {
  const { image, record, secrets } = question
  if (!isVerified(question)) return true
  const access = record?.credentialMapping[repositoryOf(image)]
  if (access === undefined) return false
  if (access.nodePodsAccessible) return true
  const known = access.kubernetesSecrets ?? []
  return secrets.find((secret) => known.some((each) => isSameSecret(each, secret))) ?? false
}

function isVerified({ policy, allowlist, image, isPulledByNode }: AccessQuestion): boolean {
  switch (policy) {
    case 'NeverVerify':
      return false
    case 'AlwaysVerify':
      return true
    case 'NeverVerifyAllowlistedImages':
      return isPulledByNode || !allowlist.some((pattern) => isAllowed(pattern, repositoryOf(image)))
    default:
      return isPulledByNode
  }
}

/** The same credentials are as good from anywhere; a secret stays good when its credentials are renewed. */
function isSameSecret(a: SecretUse, b: SecretUse): boolean {
  return a.credentialHash === b.credentialHash || (a.uid === b.uid && a.namespace === b.namespace && a.name === b.name)
}

function isAllowed(pattern: string, repository: string): boolean {
  return pattern.endsWith('/*') ? repository.startsWith(pattern.slice(0, -1)) : repositoryOf(pattern) === repository
}

/** The name without tag and digest, with its registry. */
export function repositoryOf(image: string): string {
  const { registry, repository } = parseImageName(image)
  return `${registry}/${repository}`
}

export function credentialHash({ username, password, auth, identityToken, registryToken }: AuthConfig): string {
  const parts = [username, password, auth, identityToken, registryToken]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
