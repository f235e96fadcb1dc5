import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { firstFewCell } from '../../meta/cells.ts'
import { ageOf } from '../../meta/duration.ts'
import { invalidForEach, notSupported, required } from '../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain, qualifiedName } from '../../meta/names.ts'
import { validatePort } from '../../meta/check-numbers.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateIp, warnAboutIp } from '../../meta/validate-ip.ts'
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints } from '../../types/core.v1.ts'
import { validateEndpointIp } from '../../meta/validate-endpoint-ip.ts'

export const endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  hasGeneration: false,
  setDefaults: setPortDefaults,
  validate: validateEndpoints,
  // What was accepted once is not refused for standing there unchanged.
  validateUpdate: (now, old) => (deepEqual(now.subsets, old.subsets) ? [] : validateEndpoints(now)),
  validatesUpdateAlone: true,
  warnings: addressWarnings,
  cells: ({ metadata, subsets }, nowMs) => [
    metadata.name,
    firstFewCell((subsets ?? []).flatMap(addressesOf), 3, '<none>'),
    ageOf(metadata.creationTimestamp, nowMs),
  ],
  createOnUpdate: true,
})

function validateEndpoints({ subsets }: Endpoints): FieldError[] {
  return (subsets ?? []).flatMap((subset, index) => validateSubset(subset, `subsets[${index}]`))
}

function setPortDefaults({ subsets }: Draft<Endpoints>): void {
  for (const subset of subsets ?? []) for (const port of subset.ports ?? []) port.protocol ??= 'TCP'
}

function addressesOf({ addresses, ports }: EndpointSubset): readonly string[] {
  const ips = (addresses ?? []).map(({ ip }) => ip)
  if ((ports ?? []).length === 0) return ips
  return (ports ?? []).flatMap(({ port }) => ips.map((ip) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)))
}

function validateSubset(
  { addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  if (addresses.length === 0 && notReadyAddresses.length === 0) {
    errors.push(required(path, 'must specify `addresses` or `notReadyAddresses`'))
  }
  for (const [list, entries] of Object.entries({ addresses, notReadyAddresses })) {
    errors.push(...entries.flatMap((entry, index) => validateAddress(entry, `${path}.${list}[${index}]`)))
  }
  return [...errors, ...ports.flatMap((port, index) => validatePortOf(port, ports.length, `${path}.ports[${index}]`))]
}

function validateAddress({ ip = '', hostname = '', nodeName }: Partial<EndpointAddress>, path: string): FieldError[] {
  return [
    ...validateIp(ip, `${path}.ip`),
    ...(hostname === '' ? [] : invalidForEach(`${path}.hostname`, hostname, dnsLabel(hostname))),
    ...(nodeName === undefined ? [] : invalidForEach(`${path}.nodeName`, nodeName, dnsSubdomain(nodeName))),
    ...validateEndpointIp(ip, `${path}.ip`),
  ]
}

const protocols = ['SCTP', 'TCP', 'UDP']

/** Of several ports each needs a name. */
function validatePortOf(
  { name = '', port, protocol, appProtocol }: EndpointPort,
  count: number,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  if (name === '') errors.push(...(count > 1 ? [required(`${path}.name`)] : []))
  else errors.push(...invalidForEach(`${path}.name`, name, dnsLabel(name)))
  errors.push(...validatePort(port ?? 0, `${path}.port`))
  if (protocol === undefined) errors.push(required(`${path}.protocol`))
  else if (!protocols.includes(protocol)) errors.push(notSupported(`${path}.protocol`, protocol, protocols))
  if (appProtocol === undefined) return errors
  return [...errors, ...invalidForEach(`${path}.appProtocol`, appProtocol, qualifiedName(appProtocol))]
}

function addressWarnings({ subsets }: Endpoints): readonly string[] {
  return (subsets ?? []).flatMap((subset, index) =>
    (['addresses', 'notReadyAddresses'] as const).flatMap((list) =>
      (subset[list] ?? []).flatMap(({ ip }, position) => warnAboutIp(ip, `subsets[${index}].${list}[${position}].ip`)),
    ),
  )
}
