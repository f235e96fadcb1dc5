import type { Draft } from '#api/kind.ts'
import { invalidValue } from '#api/meta/field-errors.ts'
import type { FieldError } from '#api/meta/status.ts'
import { validateClusterIps } from '#api/core/v1/validate-cluster-ips.ts'
import type { Service } from '#api/types/core.v1.ts'

type ServiceDraft = Draft<Service>
type Family = 'IPv4' | 'IPv6'

const policyPath = 'spec.ipFamilyPolicy'

/** Fills in the families a service gets and their policy (KEP-563); answers what is wrong with what was asked. */
export function fillFamilies(service: ServiceDraft, old: Service | undefined, served: readonly Family[]): FieldError[] {
  const { spec } = service
  const isPlainHeadless = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilyPolicy ??= old?.spec.ipFamilyPolicy ?? (isPlainHeadless ? 'RequireDualStack' : 'SingleStack')
  const wrong = validateClusterIps(service as unknown as Service, old)
  if (wrong.length > 0) return wrong
  const errors = [...(old === undefined ? [] : releaseSecondary(spec, old.spec)), ...policyErrors(spec)]
  errors.push(...inferFamilies(spec, served))
  if (errors.length > 0) return errors
  const families = (spec.ipFamilies ?? []) as Family[]
  const isDual = spec.ipFamilyPolicy !== 'SingleStack'
  if (isPlainHeadless) {
    const [first = served[0] ?? 'IPv4', second] = families
    spec.ipFamilies = isDual ? [first, second ?? otherThan(first)] : [first]
    return []
  }
  const unserved = unservedErrors(spec, served)
  if (unserved.length > 0) return unserved
  const [first = served[0] ?? 'IPv4', ...more] = families
  spec.ipFamilies = isDual && more.length === 0 && served.length === 2 ? [first, otherThan(first)] : [first, ...more]
  return []
}

type Spec = ServiceDraft['spec']

/** To give up the second family a client must ask for one, and need not name what is left then. */
function releaseSecondary(spec: Spec, old: Service['spec']): FieldError[] {
  const addresses = spec.clusterIPs ?? []
  const families = spec.ipFamilies ?? []
  const before = { addresses: old.clusterIPs ?? [], families: old.ipFamilies ?? [] }
  if (spec.ipFamilyPolicy === 'SingleStack') {
    if (isSame(addresses, before.addresses)) spec.clusterIPs = addresses.slice(0, 1)
    if (isSame(families, before.families)) spec.ipFamilies = families.slice(0, 1)
    return []
  }
  const released = [
    isReduced(addresses, before.addresses) ? 'cluster IP' : '',
    isReduced(families, before.families) ? 'IP family' : '',
  ]
  return released.flatMap((what) =>
    what === ''
      ? []
      : [invalidValue(policyPath, spec.ipFamilyPolicy, `must be 'SingleStack' to release the secondary ${what}`)],
  )
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length > 1 && left.length === right.length && left.every((item, index) => item === right[index])
}

function isReduced(now: readonly string[], before: readonly string[]): boolean {
  return now.length === 1 && before.length === 2 && now[0] === before[0]
}

function policyErrors({ ipFamilyPolicy, clusterIPs = [], ipFamilies = [] }: Spec): FieldError[] {
  if (ipFamilyPolicy !== 'SingleStack') return []
  const several = [clusterIPs.length === 2 ? 'cluster IPs' : '', ipFamilies.length === 2 ? 'IP families' : '']
  return several.flatMap((what) => {
    const detail = `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`
    return what === '' ? [] : [invalidValue(policyPath, ipFamilyPolicy, detail)]
  })
}

/** A family that is not named is that of the address. */
function inferFamilies(spec: Spec, served: readonly Family[]): FieldError[] {
  const errors: FieldError[] = []
  for (const [index, ip] of (spec.clusterIPs ?? []).entries()) {
    if (ip === 'None') break
    if (index < (spec.ipFamilies?.length ?? 0)) continue
    const family = ip.includes(':') ? 'IPv6' : 'IPv4'
    if (served.includes(family)) (spec.ipFamilies ??= []).push(family)
    else {
      const detail = `${family} is not configured on this cluster`
      errors.push(invalidValue(`spec.clusterIPs[${index}]`, spec.clusterIPs, detail))
    }
  }
  return errors
}

function unservedErrors({ ipFamilyPolicy, ipFamilies }: Spec, served: readonly Family[]): FieldError[] {
  const errors = (ipFamilies ?? []).flatMap((family, index) =>
    served.includes(family as Family)
      ? []
      : [invalidValue(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster')],
  )
  if (ipFamilyPolicy !== 'RequireDualStack' || served.length > 1) return errors
  return [invalidValue(policyPath, ipFamilyPolicy, 'this cluster is not configured for dual-stack services'), ...errors]
}

function otherThan(family: Family): Family {
  return family === 'IPv4' ? 'IPv6' : 'IPv4'
}
