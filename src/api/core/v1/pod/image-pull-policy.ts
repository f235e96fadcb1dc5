import { notSupported, required } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'

/** `Always` for images named by the tag `latest` or by no tag and no digest (API reference, Container). */
export function imagePullPolicyFor(image: string | undefined): 'Always' | 'IfNotPresent' {
  if (image === undefined || image === '') return 'IfNotPresent'
  const [reference = '', digest] = image.split('@', 2)
  const tag = /:([^/:]*)$/.exec(reference)?.[1]
  if (tag === undefined) return digest === undefined ? 'Always' : 'IfNotPresent'
  return tag === 'latest' ? 'Always' : 'IfNotPresent'
}

const pullPolicies = ['Always', 'IfNotPresent', 'Never']

export function validatePullPolicy(policy: string | undefined, path: string): FieldError[] {
  if (policy === undefined || policy === '') return [required(path)]
  return pullPolicies.includes(policy) ? [] : [notSupported(path, policy, pullPolicies)]
}
