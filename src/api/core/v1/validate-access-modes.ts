import { forbiddenField, notSupported, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']

/** The access modes of a volume or a claim; `whenEmpty` is what the answer says where there are none. */
export function validateAccessModes(
  modes: readonly string[] | undefined,
  whenEmpty: string,
  path: string,
): FieldError[] {
  const list = modes ?? []
  if (list.length === 0) return [required(path, whenEmpty)]
  const errors = list.filter((mode) => !accessModes.includes(mode)).map((mode) => notSupported(path, mode, accessModes))
  if (
    list.includes('ReadWriteOncePod') &&
    list.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode))
  ) {
    errors.push(forbiddenField(path, 'may not use ReadWriteOncePod with other access modes'))
  }
  return errors
}
