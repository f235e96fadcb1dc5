import { forbiddenField, invalidForEach, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { plainAddress } from '../../meta/ip-text.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateIp } from '../../meta/validate-ip.ts'
import type { LoadBalancerIngress, Service } from '../../types/core.v1.ts'

const modes = ['Proxy', 'VIP']

/** Where a load balancer says it can be reached. */
export function validateServiceStatus({ spec, status }: Service, old: Service): FieldError[] {
  const path = 'status.loadBalancer.ingress'
  const ingress = status?.loadBalancer?.ingress ?? []
  if (spec.type !== 'LoadBalancer' && ingress.length > 0) {
    return [forbiddenField(path, "may only be used when `spec.type` is 'LoadBalancer'")]
  }
  const known = (old.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? '')
  return ingress.flatMap((entry, index) => validateIngress(entry, known, `${path}[${index}]`))
}

function validateIngress(
  { ip = '', ipMode, hostname = '' }: LoadBalancerIngress,
  known: readonly string[],
  path: string,
): FieldError[] {
  const errors = ip === '' ? [] : validateIp(ip, `${path}.ip`, known)
  if (ipMode === undefined) {
    if (ip !== '') errors.push(required(`${path}.ipMode`, 'must be specified when `ip` is set'))
  } else if (ip === '') {
    errors.push(forbiddenField(`${path}.ipMode`, 'may not be specified when `ip` is not set'))
  } else if (!modes.includes(ipMode)) errors.push(notSupported(`${path}.ipMode`, ipMode, modes))
  if (hostname === '') return errors
  errors.push(...invalidForEach(`${path}.hostname`, hostname, dnsSubdomain(hostname)))
  if (plainAddress(hostname) === undefined) return errors
  return [...errors, invalidValue(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address')]
}
