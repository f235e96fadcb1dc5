import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { labelsCell, orNone } from '../../meta/cells.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { ageOf } from '../../meta/duration.ts'
import { keepStatus } from '../../meta/keep-status.ts'
import type { Service, ServicePort } from '../../types/core.v1.ts'
import { isExternallyAccessible } from './service-facts.ts'
import { serviceWarnings } from './service-warnings.ts'
import { validateService } from './validate-service.ts'
import { validateServiceStatus } from './validate-service-status.ts'
import { validateServiceUpdate } from './validate-service-update.ts'

/** Addresses and node ports are given out by the server, not here. */
export const service = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  hasGeneration: false,
  nameRule: 'dnsLabel',
  setDefaults: setServiceDefaults,
  prepareForCreate(draft) {
    draft.status = { loadBalancer: {} }
    mirrorClusterIp(draft.spec, undefined)
  },
  prepareForUpdate(draft, old) {
    keepStatus(draft, old)
    mirrorClusterIp(draft.spec, old.spec)
  },
  prepareForStatusUpdate(draft, old) {
    draft.spec = structuredClone(old.spec) as Draft<Service>['spec']
    setIngressModes(draft)
  },
  validate: (object) => validateService(object),
  validateUpdate: validateServiceUpdate,
  validatesUpdateAlone: true,
  validateStatusUpdate: validateServiceStatus,
  warnings: serviceWarnings,
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
  setPolicies(draft)
}

/** `clusterIP` is the first of `clusterIPs`: whichever the client changed decides. */
function mirrorClusterIp(spec: Draft<Service>['spec'], old: Service['spec'] | undefined): void {
  const { clusterIP = '', clusterIPs = [] } = spec
  if (clusterIP === (clusterIPs[0] ?? '')) return
  const listChanged = !deepEqual(clusterIPs, old?.clusterIPs)
  if (clusterIP === '') {
    if (old?.clusterIP && !listChanged) delete spec.clusterIPs
    else if (clusterIPs[0] !== undefined && old === undefined) spec.clusterIP = clusterIPs[0]
  } else if (clusterIPs.length === 0) spec.clusterIPs = [clusterIP]
  else if (old !== undefined && clusterIP !== old.clusterIP && !listChanged) {
    spec.clusterIPs = [clusterIP, ...clusterIPs.slice(1)]
  }
}

function setPolicies(draft: Draft<Service>): void {
  const { spec } = draft
  if (isExternallyAccessible({ spec: spec as Service['spec'] })) spec.externalTrafficPolicy ??= 'Cluster'
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true
  setIngressModes(draft)
}

/** A patch of the status comes without its spec: the modes wait until the service's own is back. */
function setIngressModes({ spec, status }: Draft<Service>): void {
  if (spec.type !== 'LoadBalancer') return
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
