import { invalidValue } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'

/** A relative path that does not leave its parent. */
export function validateDescendingPath(value: string, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (value.startsWith('/')) errors.push(invalidValue(path, value, 'must be a relative path'))
  return [...errors, ...validateNoBacksteps(value, path)]
}

export function hasBacksteps(value: string): boolean {
  return value.split('/').includes('..')
}

export function validateNoBacksteps(value: string, path: string): FieldError[] {
  return hasBacksteps(value) ? [invalidValue(path, value, "must not contain '..'")] : []
}
