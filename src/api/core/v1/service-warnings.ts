import { warnAboutCidr, warnAboutIp } from '../../meta/validate-ip.ts'
import type { Service } from '../../types/core.v1.ts'

/** What the API server says of a service that it accepts all the same. */
export function serviceWarnings({ metadata, spec }: Service): readonly string[] {
  const { clusterIPs = [], externalIPs = [], loadBalancerIP = '', externalName = '', type } = spec
  const warnings: string[] = []
  if (metadata.annotations?.['service.kubernetes.io/topology-aware-hints'] !== undefined) {
    const use = 'please use service.kubernetes.io/topology-mode instead'
    warnings.push(`annotation service.kubernetes.io/topology-aware-hints is deprecated, ${use}`)
  }
  const isHeadless = type === 'ClusterIP' && spec.clusterIP === 'None'
  if (!isHeadless)
    for (const [index, ip] of clusterIPs.entries()) warnings.push(...warnAboutIp(ip, `spec.clusterIPs[${index}]`))
  if (isHeadless) {
    if (loadBalancerIP !== '') warnings.push('spec.loadBalancerIP is ignored for headless services')
    if (externalIPs.length > 0) warnings.push('spec.externalIPs is ignored for headless services')
    if (spec.sessionAffinity !== 'None') warnings.push('spec.SessionAffinity is ignored for headless services')
  }
  for (const [index, ip] of externalIPs.entries()) warnings.push(...warnAboutIp(ip, `spec.externalIPs[${index}]`))
  if (externalIPs.length > 0 && !isHeadless && type !== 'ExternalName') {
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters')
  }
  warnings.push(...warnAboutIp(loadBalancerIP, 'spec.loadBalancerIP'))
  for (const [index, cidr] of (spec.loadBalancerSourceRanges ?? []).entries()) {
    warnings.push(...warnAboutCidr(cidr, `spec.loadBalancerSourceRanges[${index}]`))
  }
  if (type === 'ExternalName' && externalIPs.length > 0) {
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  }
  if (type !== 'ExternalName' && externalName !== '') {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"')
  }
  if (spec.trafficDistribution === 'PreferClose') {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
  }
  return warnings
}
