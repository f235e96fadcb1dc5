import { invalidForEach, invalidValue, required } from './field-errors.ts'
import { dnsSubdomain } from './names.ts'
import type { FieldError } from './status.ts'

const pathFormat = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
const pathPattern = new RegExp(`^${pathFormat}$`)

/** A domain, a slash and a path, `acme.io/foo/bar`: names of controllers and of managers. */
export function validateDomainPath(value: string, field: string): FieldError[] {
  if (value === '') return [required(field)]
  const slash = value.indexOf('/')
  const domain = value.slice(0, Math.max(slash, 0))
  const path = value.slice(slash + 1)
  if (domain === '' || path === '') {
    return [invalidValue(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  }
  const errors = invalidForEach(field, domain, dnsSubdomain(domain))
  if (pathPattern.test(path)) return errors
  return [...errors, invalidValue(field, path, `Invalid path (regex used for validation is '${pathFormat}')`)]
}
