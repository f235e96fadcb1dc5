import { isIPv6 } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { configMaps, endpoints, endpointSlices, ipAddresses, serviceCIDRs, services } from '#api/types/resources.ts'
import { formatTime } from '#lib/clock.ts'
import type { BootstrapBody, BootstrapObject } from './bootstrap-store.ts'

export interface ServerObjectsOptions {
  /** Addresses under which pods reach the API servers, all of one family. */
  readonly addresses: readonly string[]
  readonly port: number
  /** Default 10.96.0.1. */
  readonly serviceIp?: string
  /** Default 10.96.0.0/12. */
  readonly serviceCidr?: string
  /** PEM of the authority that signs client certificates. */
  readonly clientCa: string
  /** PEM of the authority that signs for the front proxy: who presents its certificate tells who asks. */
  readonly frontProxyCa?: string
  readonly nowMs: number
}

/** What tells the cluster about its API server: the `kubernetes` Service with its endpoints, and how it authenticates. */
export function serverObjects(options: ServerObjectsOptions): readonly BootstrapObject[] {
  return [
    serviceCidr(options),
    kubernetesAddress(options),
    kubernetesService(options),
    kubernetesEndpoints(options),
    kubernetesSlice(options),
    authentication(options),
  ]
}

const place = { name: 'kubernetes', namespace: 'default' }

function serviceCidr(options: ServerObjectsOptions): BootstrapObject {
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: '',
    message: 'Kubernetes Service CIDR is ready',
    lastTransitionTime: formatTime(options.nowMs),
  }
  return {
    resource: serviceCIDRs,
    object: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: { name: 'kubernetes', finalizers: ['networking.k8s.io/service-cidr-finalizer'] },
      spec: { cidrs: [options.serviceCidr ?? '10.96.0.0/12'] },
      status: { conditions: [condition] },
    } as BootstrapBody,
  }
}

function kubernetesAddress({ serviceIp = '10.96.0.1' }: ServerObjectsOptions): BootstrapObject {
  const labels = {
    'ipaddress.kubernetes.io/ip-family': isIPv6(serviceIp) ? 'IPv6' : 'IPv4',
    'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
  }
  const object = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: serviceIp, labels },
    spec: { parentRef: { resource: 'services', ...place } },
  }
  return { resource: ipAddresses, object: object as BootstrapBody }
}

function kubernetesService({ port, serviceIp = '10.96.0.1' }: ServerObjectsOptions): BootstrapObject {
  const spec = {
    clusterIP: serviceIp,
    clusterIPs: [serviceIp],
    internalTrafficPolicy: 'Cluster',
    ipFamilies: [isIPv6(serviceIp) ? 'IPv6' : 'IPv4'],
    ipFamilyPolicy: 'SingleStack',
    ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }],
    sessionAffinity: 'None',
    type: 'ClusterIP',
  }
  const labels = { component: 'apiserver', provider: 'kubernetes' }
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...place, labels },
    spec,
    status: { loadBalancer: {} },
  }
  const merge = (stored: KubernetesObject): KubernetesObject | undefined => {
    const theirs = (stored as KubernetesObject & { readonly spec: typeof spec }).spec
    if (isDeepStrictEqual(theirs.ports, spec.ports)) return undefined
    return { ...stored, spec: { ...theirs, ports: spec.ports } } as KubernetesObject
  }
  return { resource: services, object, merge }
}

function kubernetesEndpoints({ addresses, port }: ServerObjectsOptions): BootstrapObject {
  const subsets = [
    {
      addresses: addresses.toSorted().map((ip) => ({ ip })),
      ports: [{ name: 'https', port, protocol: 'TCP' }],
    },
  ]
  const labels = { 'endpointslice.kubernetes.io/skip-mirror': 'true' }
  const object = { apiVersion: 'v1', kind: 'Endpoints', metadata: { ...place, labels }, subsets }
  return current(endpoints, object, ['subsets'])
}

function kubernetesSlice({ addresses, port }: ServerObjectsOptions): BootstrapObject {
  const object = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...place, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: addresses.some(isIPv6) ? 'IPv6' : 'IPv4',
    endpoints: addresses.toSorted().map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  }
  return current(endpointSlices, object, ['endpoints', 'ports'])
}

/** How extension API servers find out who asks (Kubernetes docs, "Configure the Aggregation Layer"). */
function authentication({ clientCa, frontProxyCa }: ServerObjectsOptions): BootstrapObject {
  const metadata = { name: 'extension-apiserver-authentication', namespace: 'kube-system' }
  const data = {
    'client-ca-file': clientCa,
    ...(frontProxyCa !== undefined && {
      'requestheader-client-ca-file': frontProxyCa,
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-username-headers': '["X-Remote-User"]',
      'requestheader-uid-headers': '["X-Remote-Uid"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    }),
  }
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }
  return current(configMaps, object, ['data'])
}

/** An object whose named fields are always taken back to what the server says. */
function current(
  resource: BootstrapObject['resource'],
  object: BootstrapBody,
  fields: readonly string[],
): BootstrapObject {
  const wanted = object as unknown as Record<string, unknown>
  return {
    resource,
    object,
    merge(stored) {
      const theirs = stored as unknown as Record<string, unknown>
      if (fields.every((field) => isDeepStrictEqual(theirs[field], wanted[field]))) return undefined
      return { ...stored, ...Object.fromEntries(fields.map((field) => [field, wanted[field]])) }
    },
  }
}
