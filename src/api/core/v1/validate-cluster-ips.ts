import { duplicate, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateIp } from '../../meta/validate-ip.ts'
import type { Service, ServiceSpec } from '../../types/core.v1.ts'
import { isHeadless } from './service-facts.ts'

const families = ['IPv4', 'IPv6']
const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack']
const path = 'spec.clusterIPs'

/** Addresses and their families: whether what is given fits together. Checked once more before addresses are given out. */
export function validateClusterIps(service: Service, old?: Service): FieldError[] {
  const { spec } = service
  if (spec.type === 'ExternalName') return []
  const { clusterIPs = [], ipFamilyPolicy } = spec
  const errors = [...validatePrimary(spec), ...validateFamilies(spec.ipFamilies ?? [])]
  if (ipFamilyPolicy !== undefined && !policies.includes(ipFamilyPolicy)) {
    errors.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, policies))
  }
  const wrong = validateAddresses(clusterIPs, old?.spec.clusterIPs)
  errors.push(...wrong)
  if (clusterIPs.length > 2) errors.push(invalidValue(path, clusterIPs, 'may only hold up to 2 values'))
  if (wrong.length > 0) return errors
  const isDual = clusterIPs.length === 2 && familyOf(clusterIPs[0]) !== familyOf(clusterIPs[1])
  if (clusterIPs.length > 1 && !isDual) {
    errors.push(invalidValue(path, clusterIPs, 'may specify no more than one IP for each IP family'))
  }
  return isHeadless(service) ? errors : [...errors, ...validateMatch(spec)]
}

function familyOf(ip: string | undefined): string {
  return ip?.includes(':') === true ? 'IPv6' : 'IPv4'
}

function validatePrimary({ clusterIP = '', clusterIPs = [] }: ServiceSpec): FieldError[] {
  if (clusterIP === '') {
    if (clusterIPs.length === 0) return []
    return [invalidValue(path, clusterIPs, 'must be empty when `clusterIP` is not specified')]
  }
  if (clusterIPs.length === 0) return [required(path)]
  return clusterIPs[0] === clusterIP ? [] : [invalidValue(path, clusterIPs, 'first value must match `clusterIP`')]
}

function validateFamilies(given: readonly string[]): FieldError[] {
  const seen = new Set<string>()
  return given.flatMap((family, index) => {
    const at = `spec.ipFamilies[${index}]`
    const errors = families.includes(family) ? [] : [notSupported(at, family, families)]
    if (seen.has(family)) errors.push(duplicate(at, family))
    seen.add(family)
    return errors
  })
}

function validateAddresses(clusterIPs: readonly string[], known: readonly string[] = []): FieldError[] {
  return clusterIPs.flatMap((ip, index) => {
    if (index > 0 || ip !== 'None') return validateIp(ip, `${path}[${index}]`, known)
    return clusterIPs.length === 1 ? [] : [invalidValue(path, clusterIPs, "'None' must be the first and only value")]
  })
}

function validateMatch({ clusterIPs = [], ipFamilies = [] }: ServiceSpec): FieldError[] {
  return clusterIPs.flatMap((ip, index) => {
    const family = ipFamilies[index]
    if (family === undefined || !families.includes(family) || familyOf(ip) === family) return []
    return [
      invalidValue(`${path}[${index}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``),
    ]
  })
}
