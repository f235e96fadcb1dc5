import { invalidForEach, invalidValue, required, tooLong } from '../../meta/field-errors.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateDriverName } from '../../storage/v1/csi-driver.ts'
import { maxDomainLength, maxIdLength } from './device-limits.ts'

const maxPoolName = 253

/** Names of pools are paths of domains. */
export function validatePoolName(name: string | undefined, path: string): FieldError[] {
  if (!name) return [required(path)]
  const errors = name.length > maxPoolName ? [tooLong(path, maxPoolName)] : []
  return [...errors, ...name.split('/').flatMap((part) => invalidForEach(path, part, dnsSubdomain(part)))]
}

/** `name`, or `domain/name`, of an attribute or a capacity. */
export function validateQualifiedName(name: string, path: string): FieldError[] {
  const parts = name.split('/')
  const [first = '', second] = parts
  if (second === undefined) return validateIdentifier(first, path)
  if (parts.length > 2) return [invalidValue(path, name, 'must not contain more than one slash')]
  return [
    ...(first === '' ? [invalidValue(path, '', 'the domain must not be empty')] : validateDriverName(first, path)),
    ...(second === '' ? [invalidValue(path, '', 'the name must not be empty')] : validateIdentifier(second, path)),
  ]
}

/** `domain/name` of an attribute, as constraints name them. */
export function validateFullName(name: string, path: string): FieldError[] {
  const errors = validateQualifiedName(name, path)
  if (name.includes('/')) return errors
  const detail = 'a fully qualified name must be a domain and a name separated by a slash'
  return [...errors, invalidValue(path, name, detail)]
}

const identifierFormat = '[A-Za-z_][A-Za-z0-9_]*'
const identifierRule =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'"

function validateIdentifier(id: string, path: string): FieldError[] {
  const errors = id.length > maxIdLength ? [tooLong(path, maxIdLength)] : []
  if (new RegExp(`^${identifierFormat}$`).test(id)) return errors
  const examples = "(e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is"
  return [...errors, invalidValue(path, id, `${identifierRule} ${examples} '${identifierFormat}')`)]
}

/** A key as messages show it, shortened in its middle. */
export function shownKey(key: string): string {
  const most = maxDomainLength + 1 + maxIdLength
  if (key.length <= most) return key
  const left = most - 3
  return `${key.slice(0, Math.floor((left + 1) / 2))}...${key.slice(key.length - Math.floor(left / 2))}`
}
