import { signerOfBundle, trustBundleName } from '../../../certificates/v1beta1/trust-bundle-name.ts'
import { invalidForEach, invalidValue, required } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import { validateLabelSelector } from '../../../meta/validate-labels.ts'
import { validateSignerName } from '../../../meta/validate-signer-name.ts'
import type { ClusterTrustBundleProjection } from '../../../types/core.v1.ts'
import { coreForm } from '../internal-types.ts'
import { validateFilePath } from './validate-volume-files.ts'

/** The authorities of one bundle by name, or of all that a signer has under a selector. */
export function validateTrustProjection(source: ClusterTrustBundleProjection, path: string): FieldError[] {
  const file = source.path ?? ''
  return [
    ...validateWhich(source, path),
    ...(file === '' ? [required(`${path}.path`)] : []),
    ...validateFilePath(file, `${path}.path`),
  ]
}

function validateWhich(source: ClusterTrustBundleProjection, path: string): FieldError[] {
  const { name, signerName, labelSelector } = source
  if (name !== undefined && signerName !== undefined) {
    const shown = coreForm.of('TrustProjection', source)
    return [invalidValue(path, shown, 'only one of name and signerName may be used')]
  }
  if (name !== undefined) return validateName(name, labelSelector, path)
  if (signerName === undefined) return [required(path, 'either name or signerName must be specified')]
  return [
    ...(signerName === '' ? [required(`${path}.signerName`, 'must be a valid signer name')] : []),
    ...validateSignerName(signerName, `${path}.signerName`),
    ...validateLabelSelector(labelSelector, `${path}.labelSelector`),
  ]
}

function validateName(
  name: string,
  selector: ClusterTrustBundleProjection['labelSelector'],
  path: string,
): FieldError[] {
  const messages = trustBundleName(name, signerOfBundle(name)).map(
    (message) => `not a valid clustertrustbundlename: ${message}`,
  )
  const detail = 'labelSelector must be unset if name is specified'
  return [
    ...(name === '' ? [required(`${path}.name`, 'must be a valid object name')] : []),
    ...invalidForEach(`${path}.name`, name, messages),
    ...(selector === undefined ? [] : [invalidValue(`${path}.labelSelector`, selector, detail)]),
  ]
}
