import { notSupported, required } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'

const host = String.raw`(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?`
const folder = String.raw`[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*`
const reference = new RegExp(
  `^(?:${host}/)?${folder}(?:/${folder})*(?::\\w[\\w.-]{0,127})?(?:@[\\w+.-]+:[a-fA-F0-9]{32,})?$`,
)

/** `Always` for images named by the tag `latest` or by no tag and no digest (API reference, Container). */
export function imagePullPolicyFor(image: string | undefined): 'Always' | 'IfNotPresent' {
  if (image === undefined || !reference.test(image)) return 'IfNotPresent'
  const [named = '', digest] = image.split('@', 2)
  const tag = /:([^/:]*)$/.exec(named)?.[1]
  if (tag === undefined) return digest === undefined ? 'Always' : 'IfNotPresent'
  return tag === 'latest' ? 'Always' : 'IfNotPresent'
}

const pullPolicies = ['Always', 'IfNotPresent', 'Never']

export function validatePullPolicy(policy: string | undefined, path: string): FieldError[] {
  if (policy === undefined || policy === '') return [required(path)]
  return pullPolicies.includes(policy) ? [] : [notSupported(path, policy, pullPolicies)]
}
