import { invalidValue, required } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { DownwardAPIVolumeFile, KeyToPath } from '../../../types/core.v1.ts'
import { validateFieldRef, validateResourceFieldRef, volumeFields } from './validate-field-ref.ts'
import { validateDescendingPath } from './validate-path.ts'

/** An error for each field that is empty. */
export function present(fields: Readonly<Record<string, string | undefined>>, path: string): FieldError[] {
  return Object.entries(fields)
    .filter(([, value]) => value === undefined || value === '')
    .map(([name]) => required(`${path}.${name}`))
}

export function validateFileMode(mode: number | undefined, path: string): FieldError[] {
  const wrong = mode !== undefined && (mode < 0 || mode > 0o777)
  return wrong ? [invalidValue(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive')] : []
}

/** Keys of a map and the files they become. */
export function validateItems(items: readonly KeyToPath[] | undefined, path: string): FieldError[] {
  return (items ?? []).flatMap((item, index) => validateItem(item, `${path}.items[${index}]`))
}

export function validateItem({ key, path: file, mode }: KeyToPath, path: string): FieldError[] {
  return [
    ...present({ key, path: file }, path),
    ...validateFilePath(file ?? '', `${path}.path`),
    ...validateFileMode(mode, `${path}.mode`),
  ]
}

export function validateDownwardFile(file: DownwardAPIVolumeFile, path: string): FieldError[] {
  const { fieldRef, resourceFieldRef } = file
  const errors = [...present({ path: file.path }, path), ...validateFilePath(file.path ?? '', `${path}.path`)]
  if (fieldRef !== undefined) {
    errors.push(...validateFieldRef(fieldRef, volumeFields, `${path}.fieldRef`))
    if (resourceFieldRef !== undefined) {
      const detail = 'fieldRef and resourceFieldRef can not be specified simultaneously'
      errors.push(invalidValue(path, 'resource', detail))
    }
  } else if (resourceFieldRef !== undefined) {
    errors.push(...validateResourceFieldRef(resourceFieldRef, true, `${path}.resourceFieldRef`))
  } else errors.push(required(path, 'one of fieldRef and resourceFieldRef is required'))
  return [...errors, ...validateFileMode(file.mode, `${path}.mode`)]
}

/** A relative path inside the volume that does not look like the kubelet's own `..data`. */
export function validateFilePath(value: string, path: string): FieldError[] {
  const errors = validateDescendingPath(value, path)
  if (value.startsWith('..') && !value.startsWith('../')) {
    errors.push(invalidValue(path, value, "must not start with '..'"))
  }
  return errors
}
