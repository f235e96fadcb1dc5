import { invalidValue, required } from './field-errors.ts'
import { dns1035Label } from './names.ts'
import type { FieldError } from './status.ts'

/** The versions in which webhooks can be asked. */
const reviewVersions: readonly string[] = ['v1', 'v1beta1']

/** What webhooks that say no version are told, where they are told more than that one is required. */
export const reviewVersionsHint = `must specify one of ${reviewVersions.join(', ')}`

/** Errors of the review versions that a webhook says it understands; `missing` is what is told when it says none. */
export function validateReviewVersions(versions: readonly string[], path: string, missing: string = ''): FieldError[] {
  if (versions.length === 0) return [required(path, missing)]
  const errors = versions.flatMap((version, index) => {
    const at = `${path}[${index}]`
    if (versions.indexOf(version) < index) return [invalidValue(at, version, 'duplicate version')]
    const wrong = dns1035Label(version)
    return wrong.length === 0 ? [] : [invalidValue(at, version, wrong.join(','))]
  })
  if (versions.some((version) => reviewVersions.includes(version))) return errors
  return [...errors, invalidValue(path, versions, `must include at least one of ${reviewVersions.join(', ')}`)]
}
