import { invalidValue } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateAnnotations } from '../../meta/validate-labels.ts'

/** What pods tell signers: annotations as those of metadata, but all of somebody's domain. */
export function validateUserAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  const bare = Object.keys(annotations ?? {}).filter((key) => !key.includes('/'))
  return [
    ...validateAnnotations(annotations, path),
    ...bare.map((key) => invalidValue(path, key, 'user annotation keys must be domain-prefixed')),
  ]
}
