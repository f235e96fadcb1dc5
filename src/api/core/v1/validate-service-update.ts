import { forbiddenField, immutableField, invalidValue } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { Service, ServiceSpec } from '../../types/core.v1.ts'
import { isHeadless, needsHealthCheckNodePort } from './service-facts.ts'
import { validateBalancerClass, validateService } from './validate-service.ts'

/**
 * A service may gain a second address or give it back; its first one, and the family of that, stay while it has any of
 * its own. Services that are names of others have none.
 */
export function validateServiceUpdate(now: Service, old: Service): FieldError[] {
  const isName = now.spec.type === 'ExternalName' || old.spec.type === 'ExternalName'
  const errors = isName ? [] : [...validateAddressChange(now, old), ...validateFamilyChange(now, old)]
  const wasBalanced = old.spec.type === 'LoadBalancer' && now.spec.type === 'LoadBalancer'
  if (wasBalanced && now.spec.loadBalancerClass !== old.spec.loadBalancerClass) {
    errors.push(invalidValue('spec.loadBalancerClass', now.spec.loadBalancerClass ?? null, settled))
  }
  errors.push(...validateBalancerClass(now.spec))
  const kept = needsHealthCheckNodePort(now) && needsHealthCheckNodePort(old)
  if (kept && (now.spec.healthCheckNodePort ?? 0) !== (old.spec.healthCheckNodePort ?? 0)) {
    errors.push(forbiddenField('spec.healthCheckNodePort', immutableField))
  }
  return [...errors, ...validateService(now, old)]
}

const settled = 'may not change once set'

function validateAddressChange(now: Service, old: Service): FieldError[] {
  if (isHeadless(now) && isHeadless(old)) return []
  const [after, before] = [now.spec.clusterIPs ?? [], old.spec.clusterIPs ?? []]
  const path = 'spec.clusterIPs'
  const shown = now.spec.clusterIPs ?? null
  if (after.length === before.length) {
    return before.flatMap((ip, index) =>
      ip === after[index] ? [] : [invalidValue(`${path}[${index}]`, shown, settled)],
    )
  }
  const errors: FieldError[] = []
  if (after.length === 0) errors.push(invalidValue(`${path}[0]`, shown, 'primary clusterIP can not be unset'))
  else if (before.length > 0 && after[0] !== before[0]) errors.push(invalidValue(`${path}[0]`, shown, settled))
  if (after.length < before.length && after.length === 1) errors.push(...validateRelease(now.spec, 'clusterIP'))
  return errors
}

function validateRelease({ ipFamilyPolicy }: ServiceSpec, what: string): FieldError[] {
  if (ipFamilyPolicy === 'SingleStack') return []
  const detail = `must be set to 'SingleStack' when releasing the secondary ${what}`
  return [invalidValue('spec.ipFamilyPolicy', ipFamilyPolicy ?? null, detail)]
}

function validateFamilyChange(now: Service, old: Service): FieldError[] {
  if (isHeadless(now) || isHeadless(old)) return []
  const [after, before] = [now.spec.ipFamilies ?? [], old.spec.ipFamilies ?? []]
  const path = 'spec.ipFamilies[0]'
  if (after.length === before.length) {
    return before.flatMap((family, index) => (family === after[index] ? [] : [invalidValue(path, after, settled)]))
  }
  const errors: FieldError[] = []
  // Here the API server looks at the addresses and shows them.
  const shown = now.spec.clusterIPs ?? null
  if (after.length < before.length && (now.spec.clusterIPs ?? []).length === 0) {
    errors.push(invalidValue(path, now.spec.ipFamilies ?? null, 'primary ipFamily can not be unset'))
  }
  if (after[0] !== undefined && before[0] !== undefined && after[0] !== before[0]) {
    errors.push(invalidValue(path, shown, settled))
  }
  if (after.length < before.length && after.length === 1) errors.push(...validateRelease(now.spec, 'ipFamily'))
  return errors
}
