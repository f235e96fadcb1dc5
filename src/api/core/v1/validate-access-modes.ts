import { forbiddenField, notSupported } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']

/** The access modes of a volume or a claim, as far as there are any. */
export function validateAccessModes(modes: readonly string[] | undefined, path: string): FieldError[] {
  const list = modes ?? []
  const errors = list.filter((mode) => !accessModes.includes(mode)).map((mode) => notSupported(path, mode, accessModes))
  const others = list.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode))
  if (list.includes('ReadWriteOncePod') && others) {
    errors.push(forbiddenField(path, 'may not use ReadWriteOncePod with other access modes'))
  }
  return errors
}
