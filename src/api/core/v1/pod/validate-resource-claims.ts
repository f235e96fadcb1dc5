import { duplicate, forbiddenField, invalidForEach, invalidValue, required } from '../../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { PodResourceClaim, PodSpec } from '../../../types/core.v1.ts'
import { coreForm } from '../internal-types.ts'
import { mirrorAnnotation } from './pod-annotations.ts'
import type { PodIdentity } from './pod-identity.ts'

/** The claims for devices that a pod names. */
export function validateResourceClaims(
  claims: PodSpec['resourceClaims'],
  pod: PodIdentity | undefined,
  path: string,
): FieldError[] {
  const names = new Set<string>()
  const isStatic = pod?.annotations[mirrorAnnotation] !== undefined
  return (claims ?? []).flatMap((claim, index) => {
    if (isStatic) return [forbiddenField('[]', 'static pods do not support resource claims')]
    return validateClaim(claim, names, `${path}[${index}]`)
  })
}

function validateClaim(claim: PodResourceClaim, names: Set<string>, path: string): FieldError[] {
  const { name = '', resourceClaimName, resourceClaimTemplateName } = claim as Partial<PodResourceClaim>
  const errors: FieldError[] = []
  if (name === '') errors.push(required(`${path}.name`))
  else if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
  else errors.push(...invalidForEach(`${path}.name`, name, dnsLabel(name)))
  names.add(name)
  const shown = coreForm.of('PodResourceClaim', claim)
  if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
    const detail = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'
    errors.push(invalidValue(path, shown, detail))
  }
  if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
    const detail = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'
    errors.push(invalidValue(path, shown, detail))
  }
  for (const [field, value] of Object.entries({ resourceClaimName, resourceClaimTemplateName })) {
    if (value !== undefined) errors.push(...invalidForEach(`${path}.${field}`, value, dnsSubdomain(value)))
  }
  return errors
}
