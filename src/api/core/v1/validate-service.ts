import { validatePort, validatePortOrName } from '../../meta/check-numbers.ts'
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
import { validateCidr, validateIp } from '../../meta/validate-ip.ts'
import { validateLabels } from '../../meta/validate-labels.ts'
import type { Service, ServicePort, ServiceSpec } from '../../types/core.v1.ts'
import { isExternallyAccessible, isHeadless, needsHealthCheckNodePort } from './service-facts.ts'
import { validateClusterIps } from './validate-cluster-ips.ts'
import { validateEndpointIp } from '../../meta/validate-endpoint-ip.ts'

/** Errors of a service, in the order of the API server. What `old` had stays valid. */
export function validateService(service: Service, old?: Service): FieldError[] {
  const { spec } = service
  const errors = validateTopologyAnnotations(service)
  if ((spec.ports ?? []).length === 0 && !isHeadless(service) && spec.type !== 'ExternalName') {
    errors.push(required('spec.ports'))
  }
  return [
    ...errors,
    ...validateByType(service),
    ...validatePorts(spec.ports ?? []),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...validateAffinity(spec),
    ...validateClusterIps(service, old),
    ...(spec.externalIPs ?? []).flatMap((ip, index) =>
      validateExternalIp(ip, `spec.externalIPs[${index}]`, old?.spec.externalIPs),
    ),
    ...oneOf(spec.type, serviceTypes, 'spec.type'),
    ...validateNodePorts(spec),
    ...validateDuplicates(spec.ports ?? []),
    ...validateLoadBalancer(service, old),
    ...validateTrafficPolicies(service),
  ]
}

const hintsAnnotation = 'service.kubernetes.io/topology-aware-hints'
const modeAnnotation = 'service.kubernetes.io/topology-mode'

function validateTopologyAnnotations({ metadata: { annotations } }: Service): FieldError[] {
  const [hints, mode] = [annotations?.[hintsAnnotation], annotations?.[modeAnnotation]]
  if (hints === undefined || mode === undefined || hints === mode) return []
  const detail = `must match annotations[${hintsAnnotation}] when both are specified`
  return [invalidValue(`metadata.annotations[${modeAnnotation}]`, mode, detail)]
}

const serviceTypes = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']

function oneOf(value: string | undefined, allowed: readonly string[], path: string): FieldError[] {
  if (value === undefined || value === '') return [required(path)]
  return allowed.includes(value) ? [] : [notSupported(path, value, allowed)]
}

function validateByType(service: Service): FieldError[] {
  const { spec } = service
  if (spec.type === 'ExternalName') return validateExternalName(spec)
  if ((spec.type !== 'LoadBalancer' && spec.type !== 'NodePort') || !isHeadless(service)) return []
  return [invalidValue('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`)]
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

function validateAffinity({ sessionAffinity, sessionAffinityConfig: config }: ServiceSpec): FieldError[] {
  const errors = oneOf(sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity')
  const path = 'spec.sessionAffinityConfig'
  if (sessionAffinity === 'None' && config !== undefined) {
    errors.push(forbiddenField(path, 'must not be set when session affinity is None'))
  }
  if (sessionAffinity !== 'ClientIP') return errors
  const needed = 'when session affinity type is ClientIP'
  const at = `${path}.clientIP.timeoutSeconds`
  const seconds = config?.clientIP?.timeoutSeconds
  if (config === undefined) errors.push(required(path, needed))
  else if (config.clientIP === undefined) errors.push(required(`${path}.clientIP`, needed))
  else if (seconds === undefined) errors.push(required(at, needed))
  else if (seconds <= 0 || seconds > daySeconds) {
    errors.push(invalidValue(at, seconds, `must be greater than 0 and less than ${daySeconds}`))
  }
  return errors
}

function validateExternalIp(ip: string, path: string, known: readonly string[] = []): FieldError[] {
  const errors = validateIp(ip, path, known)
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

const rangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges'
const balancersOnly = "may only be used when `type` is 'LoadBalancer'"

function validateLoadBalancer(service: Service, old: Service | undefined): FieldError[] {
  const { spec } = service
  const balanced = spec.type === 'LoadBalancer'
  const errors = validateSourceRanges(service, old)
  if (spec.allocateLoadBalancerNodePorts !== undefined && !balanced) {
    errors.push(forbiddenField('spec.allocateLoadBalancerNodePorts', balancersOnly))
  }
  if (spec.allocateLoadBalancerNodePorts === undefined && balanced) {
    errors.push(required('allocateLoadBalancerNodePorts'))
  }
  return [...errors, ...validateBalancerClass(spec)]
}

export function validateBalancerClass({ type, loadBalancerClass }: ServiceSpec): FieldError[] {
  if (loadBalancerClass === undefined) return []
  const path = 'spec.loadBalancerClass'
  if (type !== 'LoadBalancer') return [forbiddenField(path, balancersOnly)]
  return invalidForEach(path, loadBalancerClass, qualifiedName(loadBalancerClass))
}

/** Blanks around a range have always been allowed. The annotation counts where the field is empty. */
function validateSourceRanges({ metadata, spec }: Service, old: Service | undefined): FieldError[] {
  const ranges = spec.loadBalancerSourceRanges ?? []
  const text = metadata.annotations?.[rangesAnnotation]
  const misplaced = (path: string): FieldError[] =>
    spec.type === 'LoadBalancer' ? [] : [forbiddenField(path, balancersOnly)]
  if (ranges.length > 0) {
    const path = 'spec.LoadBalancerSourceRanges'
    const known = (old?.spec.loadBalancerSourceRanges ?? []).map((cidr) => cidr.trim())
    const errors = ranges.flatMap((cidr, index) => validateCidr(cidr.trim(), `${path}[${index}]`, known))
    return [...misplaced(path), ...errors]
  }
  if (text === undefined) return []
  const path = `metadata.annotations[${rangesAnnotation}]`
  const isKept = old?.metadata.annotations?.[rangesAnnotation] === text
  const cidrs = isKept || text.trim() === '' ? [] : text.trim().split(',')
  return [...misplaced(path), ...cidrs.flatMap((cidr) => validateCidr(cidr.trim(), path))]
}

const policies = ['Cluster', 'Local']

function validateTrafficPolicies(service: Service): FieldError[] {
  const { internalTrafficPolicy: internal, trafficDistribution, type } = service.spec
  const errors = [...validateExternalPolicy(service), ...validateHealthCheckPort(service)]
  if (internal === undefined) {
    if (type !== 'ExternalName' && serviceTypes.includes(type ?? '')) {
      errors.push(required('spec.internalTrafficPolicy'))
    }
  } else if (!policies.includes(internal)) {
    errors.push(notSupported('spec.internalTrafficPolicy', internal, policies))
  }
  const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode']
  if (trafficDistribution !== undefined && !distributions.includes(trafficDistribution)) {
    errors.push(notSupported('spec.trafficDistribution', trafficDistribution, distributions))
  }
  return errors
}

function validateExternalPolicy(service: Service): FieldError[] {
  const path = 'spec.externalTrafficPolicy'
  const policy: string = service.spec.externalTrafficPolicy ?? ''
  if (isExternallyAccessible(service)) return oneOf(policy, policies, path)
  return policy === '' ? [] : [invalidValue(path, policy, 'may only be set for externally-accessible services')]
}

function validateHealthCheckPort(service: Service): FieldError[] {
  const path = 'spec.healthCheckNodePort'
  const port = service.spec.healthCheckNodePort ?? 0
  if (needsHealthCheckNodePort(service)) return port === 0 ? [required(path)] : validatePort(port, path)
  if (port === 0) return []
  const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
  return [invalidValue(path, port, detail)]
}
