import { invalidForEach, invalidValue, required } from '../../../meta/field-errors.ts'
import { configMapKey } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { DownwardAPIVolumeFile, KeyToPath } from '../../../types/core.v1.ts'
import { validateFieldRef, validateResourceFieldRef, volumeFields } from './validate-env.ts'
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
  return (items ?? []).flatMap((item, index) => {
    const at = `${path}.items[${index}]`
    const errors = present({ key: item.key, path: item.path }, at)
    if ((item.key ?? '') !== '') errors.push(...invalidForEach(`${at}.key`, item.key, configMapKey(item.key)))
    errors.push(...validateFilePath(item.path ?? '', `${at}.path`))
    return [...errors, ...validateFileMode(item.mode, `${at}.mode`)]
  })
}

export function validateDownwardFiles(items: readonly DownwardAPIVolumeFile[] | undefined, path: string): FieldError[] {
  return (items ?? []).flatMap((item) => {
    const errors = present({ path: item.path }, path)
    errors.push(...validateFilePath(item.path ?? '', `${path}.path`))
    if (item.fieldRef !== undefined) {
      errors.push(...validateFieldRef(item.fieldRef, volumeFields, `${path}.fieldRef`))
      if (item.resourceFieldRef !== undefined) {
        const detail = 'fieldRef and resourceFieldRef can not be specified simultaneously'
        errors.push(invalidValue(path, 'resource', detail))
      }
    } else if (item.resourceFieldRef !== undefined) {
      errors.push(...validateResourceFieldRef(item.resourceFieldRef, true, `${path}.resourceFieldRef`))
    } else errors.push(required(path, 'one of fieldRef and resourceFieldRef is required'))
    return [...errors, ...validateFileMode(item.mode, `${path}.mode`)]
  })
}

/** A relative path inside the volume that does not look like the kubelet's own `..data`. */
export function validateFilePath(value: string, path: string): FieldError[] {
  const errors = validateDescendingPath(value, path)
  if (value.startsWith('..') && !value.split('/').includes('..')) {
    errors.push(invalidValue(path, value, "must not start with '..'"))
  }
  return errors
}
