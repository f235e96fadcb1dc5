import type { Service } from '#api/types/core.v1.ts'
import type { EndpointSlice } from '#api/types/discovery.v1.ts'
import type { Answer, Question, Record } from './message.ts'
import { typeNumbers } from './message.ts'

/** What the name server knows of the cluster; each look-up answers from an index. */
export interface ClusterView {
  readonly hasNamespace: (name: string) => boolean
  readonly service: (namespace: string, name: string) => Service | undefined
  readonly slices: (namespace: string, serviceName: string) => readonly EndpointSlice[]
  /** Services that have the address as cluster IP, and slices that have it as an endpoint. */
  readonly servicesAt: (address: string) => readonly Service[]
  readonly slicesAt: (address: string) => readonly EndpointSlice[]
}

export interface ZoneOptions {
  /** `cluster.local` */
  readonly domain: string
  readonly ttl: number
  readonly serial: number
}

/**
 * Answers a question from the cluster's own zones after the Kubernetes DNS-Based Service Discovery specification 1.1.0;
 * undefined where the name belongs to somebody else and the question must be forwarded.
 */
export function answerFromCluster(question: Question, view: ClusterView, zone: ZoneOptions): Answer | undefined {
  const reverse = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(question.name)
  if (reverse) return answerReverse(question, reverse.slice(1, 5).reverse().join('.'), view, zone)
  const inside = question.name === zone.domain || question.name.endsWith(`.${zone.domain}`)
  if (!inside) return undefined
  const labels = question.name
    .slice(0, -zone.domain.length - 1)
    .split('.')
    .filter(Boolean)
  const records = recordsAt(question, labels, view, zone)
  if (records === undefined) return negative('nameError', zone)
  const matching = records.filter((record) => matches(record, question.type))
  const additional = matching.length > 0 ? records.filter((record) => record.name !== question.spelling) : []
  return matching.length > 0
    ? { code: 'noError', answers: matching, authority: [], additional }
    : negative('noError', zone)
}

function matches(record: Record, type: number): boolean {
  return type === typeNumbers.ANY || record.type === 'CNAME' || typeNumbers[record.type] === type
}

function negative(code: 'noError' | 'nameError', zone: ZoneOptions): Answer {
  const soa = {
    type: 'SOA',
    name: zone.domain,
    ttl: zone.ttl,
    zone: zone.domain,
    serial: zone.serial,
    negativeTtl: zone.ttl,
  } as const
  return { code, answers: [], authority: [soa], additional: [] }
}

/** All records at a name below the domain; undefined where the name does not exist. */
function recordsAt(question: Question, labels: string[], view: ClusterView, zone: ZoneOptions): Record[] | undefined {
  const type = labels.pop()
  if (type === undefined) return []
  if (type === 'dns-version' && labels.length === 0) {
    return [{ type: 'TXT', name: question.spelling, ttl: zone.ttl, text: '1.1.0' }]
  }
  const namespace = labels.pop()
  if (type !== 'svc' && type !== 'pod') return undefined
  if (namespace === undefined) return []
  if (!view.hasNamespace(namespace)) return undefined
  const name = labels.pop()
  if (name === undefined) return []
  if (type === 'pod') return labels.length === 0 ? podRecords(question, name, zone) : undefined
  const service = view.service(namespace, name)
  return service && serviceRecords({ question, service, labels, view, zone })
}

/** `10-244-0-5.default.pod.cluster.local` */
function podRecords(question: Question, name: string, zone: ZoneOptions): Record[] | undefined {
  const address = name.replaceAll('-', '.')
  if (!/^(\d{1,3}\.){3}\d{1,3}$/.test(address) || address.split('.').some((part) => Number(part) > 255))
    return undefined
  return [{ type: 'A', name: question.spelling, ttl: zone.ttl, address }]
}

interface ServiceQuestion {
  readonly question: Question
  readonly service: Service
  /** What stands before the service's name: nothing, an endpoint's name, or `_port._protocol`. */
  readonly labels: readonly string[]
  readonly view: ClusterView
  readonly zone: ZoneOptions
}

function serviceRecords({ question, service, labels, view, zone }: ServiceQuestion): Record[] | undefined {
  const { namespace = '', name } = service.metadata
  const base = { name: question.spelling, ttl: zone.ttl }
  if (service.spec.type === 'ExternalName') {
    return labels.length === 0 ? [{ ...base, type: 'CNAME', target: service.spec.externalName ?? '' }] : undefined
  }
  const serviceName = `${name}.${namespace}.svc.${zone.domain}`
  const endpoints = endpointsOf(service, view)
  const [first, second] = labels
  if (labels.length === 2 && first?.startsWith('_') && second?.startsWith('_')) {
    const found = endpoints.filter(({ port, protocol }) => `_${port}` === first && `_${protocol}` === second)
    if (found.length === 0) return undefined
    return found.flatMap((endpoint) => portRecords(endpoint, serviceName, base, endpoint.host === undefined))
  }
  if (labels.length === 1) {
    const addresses = endpoints.filter(({ host }) => host === first).map(({ address }) => address)
    return addresses.length === 0 ? undefined : addressRecords(addresses, base)
  }
  if (labels.length > 0) return undefined
  const ports = endpoints.filter(({ port }) => port !== '')
  const srv =
    question.type === typeNumbers.SRV
      ? ports.flatMap((each) => portRecords(each, serviceName, base, each.host === undefined))
      : []
  return [
    ...addressRecords(
      endpoints.map(({ address }) => address),
      base,
    ),
    ...srv,
  ]
}

interface NamedEndpoint {
  readonly address: string
  /** Its name below a headless service; absent for a cluster IP, which has none. */
  readonly host: string | undefined
  readonly port: string
  readonly protocol: string
  readonly number: number
}

/** What the service's name stands for: its cluster IP, or a headless service's ready endpoints. */
function endpointsOf(service: Service, view: ClusterView): NamedEndpoint[] {
  const { clusterIP, publishNotReadyAddresses } = service.spec
  if (clusterIP === undefined || clusterIP === '') return []
  if (clusterIP !== 'None') {
    const ports = service.spec.ports ?? []
    return ports.map((port) => ({
      address: clusterIP,
      host: undefined,
      port: port.name ?? '',
      protocol: (port.protocol ?? 'TCP').toLowerCase(),
      number: port.port,
    }))
  }
  return view
    .slices(service.metadata.namespace ?? '', service.metadata.name)
    .filter((slice) => slice.addressType === 'IPv4')
    .flatMap((slice) => headlessEndpoints(slice, publishNotReadyAddresses === true))
}

function headlessEndpoints(slice: EndpointSlice, withNotReady: boolean): NamedEndpoint[] {
  const ports = slice.ports?.length ? slice.ports : [{ name: '', protocol: 'TCP', port: 0 }]
  const endpoints = (slice.endpoints ?? []).filter(({ conditions }) => withNotReady || conditions?.ready !== false)
  return endpoints.flatMap(({ addresses, hostname }) =>
    addresses.flatMap((address) =>
      ports.map((port) => ({
        address,
        host: hostname ?? address.replaceAll('.', '-'),
        port: port.name ?? '',
        protocol: (port.protocol ?? 'TCP').toLowerCase(),
        number: port.port ?? 0,
      })),
    ),
  )
}

interface RecordBase {
  readonly name: string
  readonly ttl: number
}

function addressRecords(addresses: readonly string[], base: RecordBase): Record[] {
  return [...new Set(addresses)].map((address) => ({ ...base, type: 'A', address }))
}

/** The SRV record of a port, and the address of its target. */
function portRecords(endpoint: NamedEndpoint, serviceName: string, base: RecordBase, isClusterIp: boolean): Record[] {
  const target = isClusterIp ? serviceName : `${endpoint.host}.${serviceName}`
  return [
    { ...base, type: 'SRV', priority: 0, weight: 100, port: endpoint.number, target },
    { name: target, ttl: base.ttl, type: 'A', address: endpoint.address },
  ]
}

function answerReverse(question: Question, address: string, view: ClusterView, zone: ZoneOptions): Answer | undefined {
  const services = view
    .servicesAt(address)
    .map(({ metadata }) => `${metadata.name}.${metadata.namespace}.svc.${zone.domain}`)
  const endpoints = view.slicesAt(address).flatMap((slice) => endpointNames(slice, address, zone))
  const targets = [...new Set([...services, ...endpoints])]
  if (targets.length === 0) return undefined
  if (question.type !== typeNumbers.PTR && question.type !== typeNumbers.ANY) return negative('noError', zone)
  const answers = targets.map((target) => ({ type: 'PTR', name: question.spelling, ttl: zone.ttl, target }) as const)
  return { code: 'noError', answers, authority: [], additional: [] }
}

function endpointNames(slice: EndpointSlice, address: string, zone: ZoneOptions): string[] {
  const service = slice.metadata.labels?.['kubernetes.io/service-name']
  if (service === undefined) return []
  return (slice.endpoints ?? [])
    .filter((endpoint) => endpoint.addresses.includes(address))
    .map(
      (endpoint) =>
        `${endpoint.hostname ?? address.replaceAll('.', '-')}.${service}.${slice.metadata.namespace}.svc.${zone.domain}`,
    )
}
