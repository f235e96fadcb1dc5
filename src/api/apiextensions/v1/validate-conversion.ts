import { validateClientConfig } from '../../admissionregistration/v1/validate-client-config.ts'
import { forbiddenField, notSupported, required } from '../../meta/field-errors.ts'
import { validateReviewVersions } from '../../meta/validate-review-versions.ts'
import type { FieldError } from '../../meta/status.ts'
import type { CustomResourceConversion } from '../../types/apiextensions.v1.ts'

/** How objects become those of another version; errors name the fields as the server keeps them. */
export function validateConversion(conversion: CustomResourceConversion | undefined, path: string): FieldError[] {
  const strategy: string = conversion?.strategy ?? ''
  const strategies = ['None', 'Webhook']
  const errors: FieldError[] = []
  if (strategy === '') errors.push(required(`${path}.strategy`))
  else if (!strategies.includes(strategy)) errors.push(notSupported(`${path}.strategy`, strategy, strategies))
  const { clientConfig, conversionReviewVersions } = conversion?.webhook ?? {}
  const versions = conversionReviewVersions ?? []
  const configPath = `${path}.webhookClientConfig`
  const versionsPath = `${path}.conversionReviewVersions`
  if (strategy === 'Webhook') {
    if (clientConfig === undefined) errors.push(required(configPath, 'required when strategy is set to Webhook'))
    else errors.push(...validateClientConfig(clientConfig, configPath))
    return [...errors, ...validateReviewVersions(versions, versionsPath)]
  }
  const detail = 'should not be set when strategy is not set to Webhook'
  if (clientConfig !== undefined) errors.push(forbiddenField(configPath, detail))
  if (versions.length > 0) errors.push(forbiddenField(versionsPath, detail))
  return errors
}
