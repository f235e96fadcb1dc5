import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { firstFewCell } from '../../meta/cells.ts'
import { ageOf } from '../../meta/duration.ts'
import { invalidForEach, notSupported, required } from '../../meta/field-errors.ts'
import { dnsLabel } from '../../meta/names.ts'
import { validatePort } from '../../meta/check-numbers.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateIp } from '../../meta/validate-ip.ts'
import type { EndpointSubset, Endpoints } from '../../types/core.v1.ts'

export const endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  hasGeneration: false,
  setDefaults: setPortDefaults,
  validate: ({ subsets }) => (subsets ?? []).flatMap((subset, index) => validateSubset(subset, `subsets[${index}]`)),
  cells: ({ metadata, subsets }, nowMs) => [
    metadata.name,
    firstFewCell((subsets ?? []).flatMap(addressesOf), 3, '<none>'),
    ageOf(metadata.creationTimestamp, nowMs),
  ],
  createOnUpdate: true,
})

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
    for (const [index, { ip = '' }] of entries.entries()) errors.push(...validateIp(ip, `${path}.${list}[${index}].ip`))
  }
  for (const [index, { name = '', port, protocol }] of ports.entries()) {
    const at = `${path}.ports[${index}]`
    if (name === '' && ports.length > 1) errors.push(required(`${at}.name`))
    else if (name !== '') errors.push(...invalidForEach(`${at}.name`, name, dnsLabel(name)))
    errors.push(...validatePort(port ?? 0, `${at}.port`))
    const protocols = ['SCTP', 'TCP', 'UDP']
    if (protocol === undefined) errors.push(required(`${at}.protocol`))
    else if (!protocols.includes(protocol)) errors.push(notSupported(`${at}.protocol`, protocol, protocols))
  }
  return errors
}
