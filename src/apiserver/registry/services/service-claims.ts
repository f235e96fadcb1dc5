import type { KubernetesObject } from '#api/meta/resource.ts'
import { clusterIps } from '#api/core/v1/service-facts.ts'
import type { Service } from '#api/types/core.v1.ts'
import { ipAddresses } from '#api/types/resources.ts'
import { maxConditionsPerCommit } from '#storage/commit-plan.ts'
import type { Change } from '#storage/store.ts'
import type { ResourceContext } from '../../request-context.ts'
import type { ServerParts } from '../../server-parts.ts'
import { encodeNew } from '../ensure-objects.ts'
import { storageKey, type ServedResource } from '../served-resource.ts'
import { portKeys } from './service-allocator.ts'

/**
 * What a service takes and gives back in the commit that stores it: an IPAddress for each cluster IP (KEP-1880), and a
 * key for each node port. A key that is there already is another service's, so that two servers cannot give out one
 * address or port twice.
 */
export function serviceClaims(
  { server }: ResourceContext,
  now: Service | undefined,
  old: Service | undefined,
): readonly Change[] {
  const resource = server.resources.find(ipAddresses.group, ipAddresses.version, ipAddresses.plural)
  if (resource === undefined) return []
  const before = { addresses: addressesOf(old), ports: portsOf(old) }
  const after = { addresses: addressesOf(now), ports: portsOf(now) }
  const changes: Change[] = []
  for (const address of minus(after.addresses, before.addresses)) {
    const value = encodeNew(server, resource, ipAddressOf(now as Service, address) as unknown as KubernetesObject)
    changes.push({ key: storageKey(resource, '', address), value, ifRevision: 0 })
  }
  for (const address of minus(before.addresses, after.addresses)) {
    changes.push(...givenBack(server, resource, old as Service, address))
  }
  for (const port of minus(after.ports, before.ports)) {
    changes.push({ key: portClaimKey(port), value: ownerOf(now as Service), ifRevision: 0 })
  }
  for (const port of minus(before.ports, after.ports)) changes.push({ key: portClaimKey(port), delete: true })
  return withinLimit(changes)
}

/** A commit takes only so many conditions, one of them the service's own: ports beyond that are claimed unconditionally. */
function withinLimit(changes: readonly Change[]): readonly Change[] {
  let left = maxConditionsPerCommit - 1
  return changes.map((change) => {
    if (change.ifRevision === undefined || left-- > 0) return change
    const { ifRevision: _condition, ...unconditional } = change
    return unconditional as Change
  })
}

function addressesOf(service: Service | undefined): readonly string[] {
  return service === undefined ? [] : [...clusterIps(service)]
}

function portsOf(service: Service | undefined): readonly string[] {
  return service === undefined ? [] : portKeys(service)
}

function minus(these: readonly string[], those: readonly string[]): ReadonlySet<string> {
  const left = new Set(these)
  for (const one of those) left.delete(one)
  return left
}

/** `30080/TCP`, beside the objects: no kind of the API stands for a node port. */
function portClaimKey(port: string): string {
  return `/coracle/node-ports/${port}`
}

function ownerOf({ metadata }: Service): Uint8Array {
  return Buffer.from(`${metadata.namespace}/${metadata.name}`)
}

function ipAddressOf({ metadata }: Service, address: string): object {
  const labels = {
    'ipaddress.kubernetes.io/ip-family': address.includes(':') ? 'IPv6' : 'IPv4',
    'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
  }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: address, labels },
    spec: { parentRef: { resource: 'services', namespace: metadata.namespace, name: metadata.name } },
  }
}

/** Only what is the service's own: somebody may have made the IPAddress anew for something else. */
function givenBack(server: ServerParts, resource: ServedResource, { metadata }: Service, address: string): Change[] {
  const parent = server.reader.get(ipAddresses, address)?.spec.parentRef
  const isOwn =
    parent?.resource === 'services' && parent.namespace === metadata.namespace && parent.name === metadata.name
  return isOwn ? [{ key: storageKey(resource, '', address), delete: true }] : []
}
