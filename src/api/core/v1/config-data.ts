import { immutableField, invalidForEach, invalidValue, tooLong, forbiddenField } from '../../meta/field-errors.ts'
import { configMapKey } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { deepEqual } from '../../meta/deep-equal.ts'

/** What ConfigMaps and Secrets hold together may not be larger. */
const maxDataBytes = 1024 * 1024

export function validateDataKeys(data: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  return Object.keys(data ?? {}).flatMap((key) => invalidForEach(`${path}[${key}]`, key, configMapKey(key)))
}

export function validateDataSize(bytes: number, path: string): FieldError[] {
  return bytes > maxDataBytes ? [tooLong(path, maxDataBytes)] : []
}

interface Immutable {
  readonly immutable?: boolean | undefined
}

/** Once immutable, the named fields and `immutable` itself stay as they are. */
export function validateImmutability<T extends Immutable>(
  now: T,
  old: T,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  if (old.immutable !== true) return []
  const frozen = 'field is immutable when `immutable` is set'
  const errors = now.immutable === true ? [] : [forbiddenField('immutable', frozen)]
  for (const field of fields) {
    if (!deepEqual(now[field], old[field])) errors.push(forbiddenField(field, frozen))
  }
  return errors
}

/** The field may not change. */
export function validateFixed(now: unknown, old: unknown, path: string): FieldError[] {
  return deepEqual(now, old) ? [] : [invalidValue(path, now, immutableField)]
}
