import { invalidValue } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** A UUID as RFC 4122 writes it. */
export function validateUid(uid: string, path: string): FieldError[] {
  if (form.test(uid)) return []
  const written = '`xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters'
  return [invalidValue(path, uid, `uid must be in RFC 4122 normalized form, ${written}`)]
}
