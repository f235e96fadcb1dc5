import { plainPath } from '#lib/jsonpath.ts'
import { invalidValue } from '../meta/field-errors.ts'
import type { FieldError } from '../meta/status.ts'
import type { CustomResourceSubresourceScale } from '../types/apiextensions.v1.ts'

/** Where an object keeps what its `/scale` shows. */
export interface ScalePaths {
  readonly specReplicas: readonly string[]
  readonly statusReplicas: readonly string[]
  readonly selector: readonly string[] | undefined
}

export function scalePathsOf(scale: CustomResourceSubresourceScale): ScalePaths {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath = '' } = scale
  return {
    specReplicas: plainPath(specReplicasPath) ?? [],
    statusReplicas: plainPath(statusReplicasPath) ?? [],
    selector: labelSelectorPath === '' ? undefined : plainPath(labelSelectorPath),
  }
}

/** The value at a path of member names, or undefined. */
export function valueAt(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((holder, name) => {
    if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, name)) return undefined
    return (holder as Record<string, unknown>)[name]
  }, object)
}

/** Replica counts that an autoscaler could not work with. */
export function scaleErrors(scale: CustomResourceSubresourceScale | undefined, object: unknown): FieldError[] {
  if (scale === undefined) return []
  const { specReplicas, statusReplicas } = scalePathsOf(scale)
  return [
    ...countErrors(scale.specReplicasPath, valueAt(object, specReplicas)),
    ...countErrors(scale.statusReplicasPath, valueAt(object, statusReplicas)),
  ]
}

const maxInt32 = 2 ** 31 - 1

function countErrors(path: string, value: unknown): FieldError[] {
  if (typeof value !== 'number') return []
  if (value < 0) return [invalidValue(path, value, 'should be a non-negative integer')]
  return value > maxInt32 ? [invalidValue(path, value, `should be less than or equal to ${maxInt32}`)] : []
}
