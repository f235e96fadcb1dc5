import { BlockList, isIP } from 'node:net'
import { badRequest, notFound, StatusError } from '#api/meta/status.ts'
import type { Pod, Service } from '#api/types/core.v1.ts'
import { endpointSlices, nodes, services } from '#api/types/resources.ts'
import type { Random } from '#lib/random.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import type { RequestInfo } from '../request-info.ts'
import { kubeletAddress } from './kubelet-dialer.ts'
import { findPod } from './pod-location.ts'

/** Where a `proxy` subresource leads. */
export interface ProxyTarget {
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly port: number
  /** The kubelet of a node is addressed with the API server's own certificate, everything else without any. */
  readonly isKubelet: boolean
}

export interface ProxyLocationOptions {
  readonly reader: ObjectReader
  readonly random: Random
  /** Whether a request may be sent to that address; default: neither loopback nor link-local. */
  readonly isProxyable?: (address: string) => boolean
}

/** Finds what `pods/NAME/proxy`, `services/NAME/proxy` or `nodes/NAME/proxy` means; NAME may be `scheme:name:port`. */
export function proxyTarget(info: RequestInfo, options: ProxyLocationOptions): ProxyTarget {
  const locate = info.group === '' ? locators[info.resource] : undefined
  if (locate === undefined) throw badRequest('this resource cannot be proxied')
  const target = locate(splitName(info.name), info.namespace, options)
  if (!(options.isProxyable ?? isProxyableAddress)(target.host)) throw badRequest('address not allowed')
  return target
}

interface ProxyName {
  readonly scheme: string
  readonly name: string
  readonly port: string
}

/** `name`, `name:port`, `scheme:name:port`, `scheme:name:`. */
function splitName(text: string): ProxyName {
  const [first = '', second, third, ...rest] = text.split(':')
  if (rest.length > 0) throw badRequest(`invalid proxy name ${JSON.stringify(text)}`)
  if (second === undefined) return { scheme: '', name: first, port: '' }
  return third === undefined ? { scheme: '', name: first, port: second } : { scheme: first, name: second, port: third }
}

function schemeOf({ scheme }: ProxyName): 'http' | 'https' {
  if (scheme !== '' && scheme !== 'http' && scheme !== 'https')
    throw badRequest(`invalid scheme ${JSON.stringify(scheme)}`)
  return scheme === 'https' ? 'https' : 'http'
}

type Locator = (name: ProxyName, namespace: string, options: ProxyLocationOptions) => ProxyTarget

const locators: Readonly<Record<string, Locator>> = {
  pods(name, namespace, { reader }) {
    const pod = findPod(reader, namespace, name.name)
    return {
      scheme: schemeOf(name),
      host: pod.status?.podIP ?? '',
      port: portOf(name.port) ?? firstPort(pod) ?? defaultPort(name),
      isKubelet: false,
    }
  },
  services: locateService,
  nodes(name, _namespace, { reader }) {
    const node = reader.get(nodes, name.name)
    if (node === undefined) throw notFound({ group: '', resource: 'nodes', name: name.name })
    const address = kubeletAddress(node)
    const port = portOf(name.port) ?? address.port
    const isKubelet = port === address.port
    return { scheme: isKubelet ? 'https' : schemeOf(name), host: address.host, port, isKubelet }
  },
}

function defaultPort(name: ProxyName): number {
  return schemeOf(name) === 'https' ? 443 : 80
}

function firstPort(pod: Pod): number | undefined {
  return pod.spec?.containers.flatMap((container) => container.ports ?? [])[0]?.containerPort
}

function portOf(text: string): number | undefined {
  if (text === '') return undefined
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw badRequest(`invalid port ${JSON.stringify(text)}`)
  return port
}

/** A ready endpoint of the service's port, taken at random. */
function locateService(name: ProxyName, namespace: string, { reader, random }: ProxyLocationOptions): ProxyTarget {
  const service = reader.get(services, name.name, namespace)
  if (service === undefined) throw notFound({ group: '', resource: 'services', name: name.name })
  const portName = servicePortName(service, name)
  const slices = reader
    .list(endpointSlices, namespace)
    .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === name.name)
  const candidates = slices.flatMap((slice) => {
    const port = slice.ports?.find((candidate) => (candidate.name ?? '') === portName)?.port
    const ready = slice.endpoints?.filter((endpoint) => endpoint.conditions?.ready !== false) ?? []
    return port === undefined ? [] : ready.flatMap((endpoint) => endpoint.addresses.map((host) => ({ host, port })))
  })
  const chosen = candidates[Math.floor(random.next() * candidates.length)]
  if (chosen === undefined) {
    const isEmpty = slices.every(({ endpoints }) => (endpoints ?? []).length === 0)
    const said = isEmpty ? name.name : [name.scheme, name.name, name.port].filter((part) => part !== '').join(':')
    throw new StatusError('ServiceUnavailable', `no endpoints available for service ${JSON.stringify(said)}`)
  }
  return { scheme: schemeOf(name), ...chosen, isKubelet: false }
}

/** The name of the service's port that is meant: a number is looked up, and nothing means a port without a name. */
function servicePortName({ spec }: Service, { name, port }: ProxyName): string {
  if (!/^-?\d+$/.test(port)) return port
  const found = spec?.ports?.find((candidate) => String(candidate.port) === port)
  if (found !== undefined) return found.name ?? ''
  const message = `no service port ${port} found for service ${JSON.stringify(name)}`
  throw new StatusError('ServiceUnavailable', message)
}

/** Addresses that a request through the API server must not reach: the server itself and what is only near it. */
const closedSubnets: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['255.255.255.255', 32],
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10],
  ['ff00::', 8],
]

function isProxyableAddress(address: string): boolean {
  if (isIP(address) === 0) return false
  const closed = new BlockList()
  for (const [subnet, bits] of closedSubnets) closed.addSubnet(subnet, bits, subnet.includes(':') ? 'ipv6' : 'ipv4')
  return !closed.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
