import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { labelsCell, orNone } from '../../meta/cells.ts'
import { ageOf } from '../../meta/duration.ts'
import type { Service, ServicePort } from '../../types/core.v1.ts'
import { isExternallyAccessible } from './service-facts.ts'
import { validateService, validateServiceUpdate } from './validate-service.ts'

/** Addresses and node ports are given out by the server, not here. */
export const service = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  hasGeneration: false,
  nameRule: 'dnsLabel',
  setDefaults: setServiceDefaults,
  prepareForCreate: (draft) => void (draft.status = { loadBalancer: {} }),
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  cells: ({ metadata, spec, ...rest }, nowMs) => [
    metadata.name,
    spec.type ?? '',
    orNone(spec.clusterIPs?.[0] ?? spec.clusterIP),
    externalIpCell({ metadata, spec, ...rest }),
    orNone((spec.ports ?? []).map(portCell).join(',')),
    ageOf(metadata.creationTimestamp, nowMs),
    labelsCell(spec.selector),
  ],
  selectableFields: ({ spec }) => ({ 'spec.clusterIP': spec.clusterIP ?? '', 'spec.type': spec.type ?? '' }),
  deleteReturnsObject: true,
  createOnUpdate: true,
})

const sessionSeconds = 10_800

function setServiceDefaults(draft: Draft<Service>): void {
  const spec = (draft.spec ??= {})
  spec.type ||= 'ClusterIP'
  spec.sessionAffinity ||= 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  else if (spec.sessionAffinity === 'ClientIP') {
    const config = (spec.sessionAffinityConfig ??= {})
    const clientIP = (config.clientIP ??= {})
    clientIP.timeoutSeconds ??= sessionSeconds
  }
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP'
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '') port.targetPort = port.port
  }
  if (spec.clusterIP && spec.clusterIPs === undefined) spec.clusterIPs = [spec.clusterIP]
  else if (!spec.clusterIP && spec.clusterIPs?.[0]) spec.clusterIP = spec.clusterIPs[0]
  setPolicies(draft)
}

function setPolicies({ spec, status }: Draft<Service>): void {
  if (isExternallyAccessible({ spec: spec as Service['spec'] })) spec.externalTrafficPolicy ??= 'Cluster'
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type !== 'LoadBalancer') return
  spec.allocateLoadBalancerNodePorts ??= true
  for (const ingress of status?.loadBalancer?.ingress ?? []) {
    if (ingress.ip) ingress.ipMode ??= 'VIP'
  }
}

function portCell({ port, nodePort, protocol }: ServicePort): string {
  return nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`
}

function externalIpCell({ spec, status }: Service): string {
  const external = spec.externalIPs ?? []
  if (spec.type === 'ExternalName') return spec.externalName ?? ''
  if (spec.type !== 'LoadBalancer') return orNone(external.join(','))
  const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || (hostname ?? ''))
  const all = [...new Set(ingress.filter((address) => address !== ''))].sort()
  return [...all, ...external].join(',') || '<pending>'
}
