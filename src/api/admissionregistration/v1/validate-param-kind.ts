import { invalidValue, required } from '../../meta/field-errors.ts'
import { dns1035Label, dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { ParamKind } from '../../types/admissionregistration.v1.ts'

/** The kind of the objects that parameterise a policy. */
export function validateParamKind({ apiVersion = '', kind = '' }: ParamKind, path: string): FieldError[] {
  const errors =
    apiVersion === '' ? [required(`${path}.apiVersion`)] : validateVersion(apiVersion, `${path}.apiVersion`)
  if (kind === '') return [...errors, required(`${path}.kind`)]
  const wrong = dns1035Label(kind.toLowerCase())
  if (wrong.length === 0) return errors
  const detail = `may have mixed case, but should otherwise match: ${wrong.join(',')}`
  return [...errors, invalidValue(`${path}.kind`, kind, detail)]
}

function validateVersion(apiVersion: string, path: string): FieldError[] {
  const parts = apiVersion.split('/')
  if (parts.length > 2) return [invalidValue(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)]
  const version = parts.at(-1) ?? ''
  const group = parts.length === 2 ? (parts[0] ?? '') : ''
  const ofGroup = group === '' ? [] : dnsSubdomain(group)
  const errors = ofGroup.length === 0 ? [] : [invalidValue(path, group, ofGroup.join(','))]
  if (version === '') return [...errors, invalidValue(path, apiVersion, 'version must be specified')]
  const ofVersion = dns1035Label(version)
  return ofVersion.length === 0 ? errors : [...errors, invalidValue(path, version, ofVersion.join(','))]
}
