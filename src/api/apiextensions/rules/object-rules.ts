import type { KubernetesObject } from '../../meta/resource.ts'
import type { FieldError } from '../../meta/status.ts'
import type { Schema } from '../structural/schema.ts'

/** Checks the rules (`x-kubernetes-validations`) of a schema; `errors` are those already found in the object. */
export type ObjectRules = (
  object: KubernetesObject,
  old: KubernetesObject | undefined,
  errors: readonly FieldError[],
) => FieldError[]

export function objectRules(_schema: Schema): ObjectRules {
  return () => []
}
