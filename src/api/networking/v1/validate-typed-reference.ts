import { invalidForEach, required } from '../../meta/field-errors.ts'
import { dnsSubdomain, pathSegment } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'

interface TypedReference {
  readonly apiGroup?: string | undefined
  readonly kind: string
  readonly name: string
}

/** A reference to an object of any kind: the backend of an ingress, the parameters of its class. */
export function validateTypedReference({ apiGroup, kind, name }: TypedReference, path: string): FieldError[] {
  const errors = apiGroup === undefined ? [] : invalidForEach(`${path}.apiGroup`, apiGroup, dnsSubdomain(apiGroup))
  for (const [field, value] of Object.entries({ kind, name })) {
    const at = `${path}.${field}`
    errors.push(
      ...(value === '' ? [required(at, `${field} is required`)] : invalidForEach(at, value, pathSegment(value))),
    )
  }
  return errors
}
