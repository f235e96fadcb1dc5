import { deepEqual } from '../../meta/deep-equal.ts'
import { validatePort, validatePortOrName, within } from '../../meta/check-numbers.ts'
import {
  duplicate,
  forbiddenField,
  invalidForEach,
  invalidValue,
  notSupported,
  required,
} from '../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain, qualifiedName } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateCidr, validateEndpointIp, validateIp } from '../../meta/validate-ip.ts'
import { validateLabels } from '../../meta/validate-labels.ts'
import type { Service, ServicePort, ServiceSpec } from '../../types/core.v1.ts'
import { isExternallyAccessible, isHeadless } from './service-facts.ts'

/** Errors of a service, in the order of the API server. */
export function validateService(service: Service): FieldError[] {
  const { spec } = service
  const errors: FieldError[] = []
  if ((spec.ports ?? []).length === 0 && !isHeadless(service) && spec.type !== 'ExternalName') {
    errors.push(required('spec.ports'))
  }
  return [
    ...errors,
    ...validateByType(service),
    ...validatePorts(spec.ports ?? []),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...validateAffinity(spec),
    ...validateClusterIps(spec),
    ...(spec.externalIPs ?? []).flatMap((ip, index) => validateExternalIp(ip, `spec.externalIPs[${index}]`)),
    ...oneOf(spec.type, serviceTypes, 'spec.type'),
    ...validateNodePorts(spec),
    ...validateDuplicates(spec.ports ?? []),
    ...validateLoadBalancer(spec),
    ...validateTrafficPolicies(service),
  ]
}

/** Changes that a service cannot make: its primary address while it keeps one, its load balancer class. */
export function validateServiceUpdate(now: Service, old: Service): FieldError[] {
  const errors: FieldError[] = []
  const keepsAddress = now.spec.type !== 'ExternalName' && old.spec.type !== 'ExternalName'
  for (const [index, before] of (old.spec.clusterIPs ?? []).entries()) {
    const after = now.spec.clusterIPs?.[index]
    if (!keepsAddress || before === after || (index > 0 && after === undefined)) continue
    errors.push(invalidValue('spec.clusterIPs', now.spec.clusterIPs ?? null, 'may not change once set'))
    break
  }
  const wasBalanced = old.spec.type === 'LoadBalancer' && now.spec.type === 'LoadBalancer'
  if (wasBalanced && !deepEqual(now.spec.loadBalancerClass, old.spec.loadBalancerClass)) {
    const detail = 'may not change once set'
    errors.push(invalidValue('spec.loadBalancerClass', now.spec.loadBalancerClass ?? null, detail))
  }
  return errors
}

const serviceTypes = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const kubeletPort = 10_250

function oneOf(value: string | undefined, allowed: readonly string[], path: string): FieldError[] {
  if (value === undefined || value === '') return [required(path)]
  return allowed.includes(value) ? [] : [notSupported(path, value, allowed)]
}

function validateByType(service: Service): FieldError[] {
  const { spec } = service
  if (spec.type === 'ExternalName') return validateExternalName(spec)
  const errors: FieldError[] = []
  if (spec.type === 'LoadBalancer') {
    for (const [index, port] of (spec.ports ?? []).entries()) {
      if (port.port !== kubeletPort) continue
      const detail = `may not expose port ${kubeletPort} externally since it is used by kubelet`
      errors.push(invalidValue(`spec.ports[${index}]`, port, detail))
    }
  }
  if ((spec.type === 'LoadBalancer' || spec.type === 'NodePort') && isHeadless(service)) {
    errors.push(invalidValue('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`))
  }
  return errors
}

function validateExternalName(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = []
  const refused = 'may not be set for ExternalName services'
  if ((spec.clusterIPs ?? []).length > 0) errors.push(forbiddenField('spec.clusterIPs', refused))
  if ((spec.ipFamilies ?? []).length > 0) errors.push(forbiddenField('spec.ipFamilies', refused))
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbiddenField('spec.ipFamilyPolicy', refused))
  const name = (spec.externalName ?? '').replace(/\.$/, '')
  if (name === '') errors.push(required('spec.externalName'))
  else errors.push(...invalidForEach('spec.externalName', name, dnsSubdomain(name)))
  return errors
}

const protocols = ['SCTP', 'TCP', 'UDP']

function validatePorts(ports: readonly ServicePort[]): FieldError[] {
  const names = new Set<string>()
  return ports.flatMap((port, index) => {
    const path = `spec.ports[${index}]`
    const name = port.name ?? ''
    const errors: FieldError[] = []
    if (name === '') errors.push(...(ports.length > 1 ? [required(`${path}.name`)] : []))
    else {
      errors.push(...invalidForEach(`${path}.name`, name, dnsLabel(name)))
      if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
      names.add(name)
    }
    errors.push(
      ...validatePort(port.port ?? 0, `${path}.port`),
      ...oneOf(port.protocol, protocols, `${path}.protocol`),
      ...validatePortOrName(port.targetPort, `${path}.targetPort`),
    )
    if (port.appProtocol !== undefined) {
      errors.push(...invalidForEach(`${path}.appProtocol`, port.appProtocol, qualifiedName(port.appProtocol)))
    }
    return errors
  })
}

const daySeconds = 86_400

function validateAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): FieldError[] {
  const errors = oneOf(sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity')
  const path = 'spec.sessionAffinityConfig'
  if (sessionAffinity === 'None' && sessionAffinityConfig !== undefined) {
    errors.push(forbiddenField(path, 'must not be set when session affinity is None'))
  }
  if (sessionAffinity !== 'ClientIP') return errors
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds
  if (seconds === undefined) return [...errors, required(path, 'when session affinity type is ClientIP')]
  if (within(seconds, 1, daySeconds, path).length > 0) {
    const detail = `must be greater than 0 and less than ${daySeconds}`
    errors.push(invalidValue(`${path}.clientIP.timeoutSeconds`, seconds, detail))
  }
  return errors
}

function validateClusterIps({
  type,
  clusterIP = '',
  clusterIPs = [],
  ipFamilies = [],
  ipFamilyPolicy,
}: ServiceSpec): FieldError[] {
  if (type === 'ExternalName') return []
  const errors: FieldError[] = []
  for (const [index, family] of ipFamilies.entries()) {
    if (family === 'IPv4' || family === 'IPv6') continue
    errors.push(notSupported(`spec.ipFamilies[${index}]`, family, ['IPv4', 'IPv6']))
  }
  const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack']
  if (ipFamilyPolicy !== undefined && !policies.includes(ipFamilyPolicy)) {
    errors.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, policies))
  }
  if (clusterIPs.length > 2) {
    errors.push(invalidValue('spec.clusterIPs', clusterIPs, 'may only hold up to 2 values'))
  }
  if (clusterIP !== (clusterIPs[0] ?? '')) {
    errors.push(invalidValue('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`'))
  }
  for (const [index, ip] of clusterIPs.entries()) {
    const path = `spec.clusterIPs[${index}]`
    if (ip === 'None') {
      if (clusterIPs.length > 1)
        errors.push(invalidValue('spec.clusterIPs', clusterIPs, "'None' must be the first and only value"))
    } else errors.push(...validateIp(ip, path))
  }
  return errors
}

function validateExternalIp(ip: string, path: string): FieldError[] {
  const errors = validateIp(ip, path)
  return errors.length > 0 ? errors : validateEndpointIp(ip, path)
}

function validateNodePorts({ type, ports = [] }: ServiceSpec): FieldError[] {
  const taken = new Set<string>()
  return ports.flatMap(({ nodePort = 0, protocol }, index) => {
    const path = `spec.ports[${index}].nodePort`
    if (nodePort === 0) return []
    const errors: FieldError[] = []
    if (type === 'ClusterIP') errors.push(forbiddenField(path, "may not be used when `type` is 'ClusterIP'"))
    if (taken.has(`${protocol} ${nodePort}`)) errors.push(duplicate(path, nodePort))
    taken.add(`${protocol} ${nodePort}`)
    return errors
  })
}

function validateDuplicates(ports: readonly ServicePort[]): FieldError[] {
  const taken = new Set<string>()
  return ports.flatMap(({ port, protocol }, index) => {
    const key = `${protocol} ${port}`
    const errors = taken.has(key) ? [duplicate(`spec.ports[${index}]`, duplicatePortForMessage(protocol, port))] : []
    taken.add(key)
    return errors
  })
}

function duplicatePortForMessage(protocol: string | undefined, port: number): unknown {
  return { Name: '', Protocol: protocol ?? '', AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 }
}

function validateLoadBalancer(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = []
  const balanced = spec.type === 'LoadBalancer'
  if ((spec.loadBalancerSourceRanges ?? []).length > 0) {
    const path = 'spec.LoadBalancerSourceRanges'
    if (!balanced) errors.push(forbiddenField(path, "may only be used when `type` is 'LoadBalancer'"))
    for (const [index, cidr] of (spec.loadBalancerSourceRanges ?? []).entries()) {
      errors.push(...validateCidr(cidr.trim(), `${path}[${index}]`))
    }
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && !balanced) {
    errors.push(forbiddenField('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"))
  }
  if (spec.loadBalancerClass !== undefined) {
    const path = 'spec.loadBalancerClass'
    if (!balanced) errors.push(forbiddenField(path, "may only be used when `type` is 'LoadBalancer'"))
    else errors.push(...invalidForEach(path, spec.loadBalancerClass, qualifiedName(spec.loadBalancerClass)))
  }
  return errors
}

function validateTrafficPolicies(service: Service): FieldError[] {
  const { externalTrafficPolicy: external, internalTrafficPolicy: internal, trafficDistribution } = service.spec
  const errors: FieldError[] = []
  const policies = ['Cluster', 'Local']
  if (external !== undefined) {
    const path = 'spec.externalTrafficPolicy'
    if (!isExternallyAccessible(service)) {
      errors.push(invalidValue(path, external, 'may only be set for externally-accessible services'))
    } else if (!policies.includes(external)) errors.push(notSupported(path, external, policies))
  }
  if (internal !== undefined && !policies.includes(internal)) {
    errors.push(notSupported('spec.internalTrafficPolicy', internal, policies))
  }
  const distributions = ['PreferClose', 'PreferSameNode', 'PreferSameZone']
  if (trafficDistribution !== undefined && !distributions.includes(trafficDistribution)) {
    errors.push(notSupported('spec.trafficDistribution', trafficDistribution, distributions))
  }
  return errors
}
