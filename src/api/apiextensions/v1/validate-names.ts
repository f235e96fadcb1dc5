import { invalidValue, required } from '../../meta/field-errors.ts'
import { dns1035Label } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { CustomResourceDefinitionNames } from '../../types/apiextensions.v1.ts'

const mixedCase = 'may have mixed case, but should otherwise match: '

/** What a definition calls its resource: first what is missing, then what is not a name. */
export function validateNames(names: CustomResourceDefinitionNames, path: string): FieldError[] {
  const { plural, singular = '', kind, listKind = '', shortNames, categories } = names
  const missing = Object.entries({ plural, singular, kind, listKind })
    .filter(([, value]) => value === '')
    .map(([field]) => required(`${path}.${field}`))
  const errors = [
    ...missing,
    ...validateName(plural, `${path}.plural`),
    ...validateName(singular, `${path}.singular`),
    ...validateName(kind, `${path}.kind`, mixedCase),
    ...validateName(listKind, `${path}.listKind`, mixedCase),
    ...validateEach(shortNames ?? [], `${path}.shortNames`),
  ]
  if (kind !== '' && kind === listKind) {
    errors.push(invalidValue(`${path}.listKind`, listKind, 'kind and listKind may not be the same'))
  }
  return [...errors, ...validateEach(categories ?? [], `${path}.categories`)]
}

function validateName(name: string, path: string, prefix: string = ''): FieldError[] {
  const wrong = name === '' ? [] : dns1035Label(prefix === '' ? name : name.toLowerCase())
  return wrong.length === 0 ? [] : [invalidValue(path, name, prefix + wrong.join(','))]
}

function validateEach(names: readonly string[], path: string): FieldError[] {
  return names.flatMap((name, index) => {
    const wrong = dns1035Label(name)
    return wrong.length === 0 ? [] : [invalidValue(`${path}[${index}]`, name, wrong.join(','))]
  })
}
