import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { type FieldError, StatusError, invalid } from '#api/meta/status.ts'
import { invalidValue } from '#api/meta/field-errors.ts'
import { deepEqual } from '#api/meta/deep-equal.ts'
import { isExternallyAccessible, needsHealthCheckNodePort, needsNodePorts } from '#api/core/v1/service-facts.ts'
import type { Service } from '#api/types/core.v1.ts'
import type { ResourceContext } from '../../request-context.ts'
import type { ResourceBehaviour } from '../resource-behaviour.ts'
import { AllocationError, portKeys, type ServiceAllocator } from './service-allocator.ts'
import { serviceClaims } from './service-claims.ts'
import { fillFamilies } from './service-families.ts'

type ServiceDraft = Draft<Service>

/** A service is stored with its addresses and node ports; a change of its type gives back what it no longer needs. */
export const serviceBehaviour: ResourceBehaviour = {
  beforeCreate: (context, draft) => allocate(context, draft as unknown as ServiceDraft, undefined),
  beforeUpdate(context, draft, old) {
    const service = draft as unknown as ServiceDraft
    keepAllocated(service, old as Service)
    return allocate(context, service, old as Service)
  },
  claims: (context, object, old) => serviceClaims(context, object as Service | undefined, old as Service | undefined),
}

/** Fills in what the service lacks; answers what undoes it. */
function allocate(context: ResourceContext, service: ServiceDraft, old: Service | undefined): () => void {
  const allocator = context.server.services
  const taken: Taken = { addresses: [], ports: [] }
  const release = (): void => allocator.release(taken.addresses, taken.ports)
  try {
    allocateAddresses(allocator, service, old, taken)
    allocatePorts(allocator, service, old, taken)
  } catch (error) {
    release()
    throw error
  }
  return release
}

interface Taken {
  readonly addresses: string[]
  readonly ports: string[]
}

function allocateAddresses(
  allocator: ServiceAllocator,
  service: ServiceDraft,
  old: Service | undefined,
  taken: Taken,
): void {
  const { spec } = service
  if (spec.type === 'ExternalName') {
    if (old !== undefined && old.spec.type !== 'ExternalName') dropAddresses(service)
    return
  }
  const served = allocator.ranges.map((range) => range.family)
  const errors = keepsFamilies(service, old) ? [] : fillFamilies(service, old, served)
  if (errors.length > 0) throw invalidService(service, errors)
  if (spec.clusterIP === 'None') return
  const families = spec.ipFamilies ?? []
  const kept = new Set(old?.spec.clusterIPs ?? [])
  spec.clusterIPs = families.map((family, index) => {
    const wanted = spec.clusterIPs?.[index] || undefined
    if (wanted !== undefined && kept.has(wanted)) return wanted
    const address = attempt(service, () => allocator.takeAddress(family, wanted), {
      wanted: (message) => invalidValue('spec.clusterIPs', spec.clusterIPs ?? null, message),
      any: wanted === undefined && 'failed to allocate a serviceIP',
    })
    taken.addresses.push(address)
    return address
  })
  spec.clusterIP = spec.clusterIPs[0] ?? ''
}

/** A service that only prefers two families does not change with those of the cluster. */
function keepsFamilies({ spec }: ServiceDraft, old: Service | undefined): boolean {
  if (spec.type === 'ExternalName' || old === undefined || old.spec.type === 'ExternalName') return false
  const fields = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const
  if (old.spec.ipFamilyPolicy !== 'PreferDualStack') return false
  return fields.every((field) => deepEqual(spec[field], old.spec[field]))
}

function dropAddresses({ spec }: ServiceDraft): void {
  delete spec.clusterIP
  delete spec.clusterIPs
  delete spec.ipFamilies
  delete spec.ipFamilyPolicy
}

function allocatePorts(
  allocator: ServiceAllocator,
  service: ServiceDraft,
  old: Service | undefined,
  taken: Taken,
): void {
  const { spec } = service
  const kept = new Set(old === undefined ? [] : portKeys(old))
  const isWanted = needsNodePorts(service as unknown as Service)
  for (const [index, port] of (spec.ports ?? []).entries()) {
    const protocol = port.protocol ?? 'TCP'
    if (!port.nodePort && !isWanted) continue
    if (port.nodePort && kept.has(`${port.nodePort}/${protocol}`)) continue
    // One node port may serve TCP and UDP of the same port number.
    const twin = port.nodePort ? undefined : twinPort(service, index)
    const wanted = port.nodePort || twin
    port.nodePort = attempt(service, () => allocator.takePort([protocol], wanted), {
      wanted: (message) => invalidValue(`spec.ports[${index}].nodePort`, wanted ?? 0, message),
      any: wanted === undefined && 'failed to allocate a nodePort',
    })
    taken.ports.push(`${port.nodePort}/${protocol}`)
  }
  if (!needsHealthCheckNodePort(service as unknown as Service)) delete spec.healthCheckNodePort
  else if (!spec.healthCheckNodePort || !kept.has(`${spec.healthCheckNodePort}/TCP`)) {
    const wanted = spec.healthCheckNodePort || undefined
    spec.healthCheckNodePort = attempt(service, () => allocator.takePort(['TCP'], wanted), {
      wanted: (message) => invalidValue('spec.healthCheckNodePort', wanted ?? 0, message),
      any: wanted === undefined ? 'failed to allocate a HealthCheck NodePort' : healthCheckFailure(wanted),
    })
    taken.ports.push(`${spec.healthCheckNodePort}/TCP`)
  }
}

/** The node port given to the same port number under another protocol, which shares it. */
function twinPort({ spec }: ServiceDraft, index: number): number | undefined {
  const port = spec.ports?.[index]
  const twin = spec.ports?.find(
    (other) => other.nodePort && other.port === port?.port && other.protocol !== port?.protocol,
  )
  return twin?.nodePort || undefined
}

/** A client that does not mention what the server gave keeps it. */
function keepAllocated(service: ServiceDraft, old: Service): void {
  const { spec } = service
  const before = old.spec
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName') {
    if (!spec.clusterIP && !spec.clusterIPs?.length && before.clusterIP !== undefined) {
      spec.clusterIP = before.clusterIP
      spec.clusterIPs = [...(before.clusterIPs ?? [])]
    }
    if (spec.ipFamilies === undefined && before.ipFamilies !== undefined) spec.ipFamilies = [...before.ipFamilies]
    if (before.ipFamilyPolicy !== undefined) spec.ipFamilyPolicy ??= before.ipFamilyPolicy
  }
  if (needsNodePorts(service as unknown as Service) && needsNodePorts(old)) keepNodePorts(service, old)
  else if (!needsNodePorts(service as unknown as Service) && needsNodePorts(old)) dropNodePorts(service, old)
  if (spec.type !== before.type) dropWhatTheTypeLacks(service, old)
  if (needsHealthCheckNodePort(service as unknown as Service) && before.healthCheckNodePort !== undefined) {
    spec.healthCheckNodePort ??= before.healthCheckNodePort
  }
}

/** A client that changes the type sends the old type's fields back; only what it changed itself is a wish. */
function dropWhatTheTypeLacks(service: ServiceDraft, old: Service): void {
  const { spec } = service
  const before = old.spec
  if (before.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts) {
      delete spec.allocateLoadBalancerNodePorts
    }
    if (spec.loadBalancerClass === before.loadBalancerClass) delete spec.loadBalancerClass
    service.status = { ...service.status, loadBalancer: {} }
  }
  const isExternal = isExternallyAccessible(service as unknown as Service)
  if (!isExternal && spec.externalTrafficPolicy === before.externalTrafficPolicy) delete spec.externalTrafficPolicy
}

function keepNodePorts({ spec }: ServiceDraft, old: Service): void {
  for (const port of spec.ports ?? []) {
    if (port.nodePort) continue
    const same = old.spec.ports?.find((before) => before.port === port.port && before.protocol === port.protocol)
    const isUsed = spec.ports?.some((other) => other.nodePort === same?.nodePort && other.protocol === port.protocol)
    if (same?.nodePort !== undefined && isUsed !== true) port.nodePort = same.nodePort
  }
}

/** Ports that the client sent back unchanged are not a wish to keep them. */
function dropNodePorts({ spec }: ServiceDraft, old: Service): void {
  for (const port of spec.ports ?? []) {
    const isUnchanged = old.spec.ports?.some((before) => before.nodePort === port.nodePort)
    if (isUnchanged === true) delete port.nodePort
  }
}

function healthCheckFailure(port: number): string {
  return `failed to allocate requested HealthCheck NodePort ${port}`
}

interface Failure {
  /** How a wish that cannot be met is told. */
  readonly wanted: (message: string) => FieldError
  /** Or what the server itself failed to do, if nobody wished for anything. */
  readonly any: string | false
}

function attempt<T>(service: ServiceDraft, take: () => T, failure: Failure): T {
  try {
    return take()
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error
    if (failure.any !== false) throw internalError(`${failure.any}: ${error.message}`)
    throw invalidService(service, [failure.wanted(error.message)])
  }
}

/** The server, not the client, is at fault where nothing is left to give. */
function internalError(message: string): Error {
  return new StatusError('InternalError', `Internal error occurred: ${message}`, { details: { causes: [{ message }] } })
}

function invalidService(service: ServiceDraft, errors: readonly FieldError[]): Error {
  return invalid({ group: '', kind: 'Service', name: (service as unknown as KubernetesObject).metadata.name }, errors)
}
