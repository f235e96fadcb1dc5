import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { validatePort } from '../../meta/check-numbers.ts'
import { firstFewCell } from '../../meta/cells.ts'
import { ageOf } from '../../meta/duration.ts'
import {
  duplicate,
  immutableField,
  invalidForEach,
  invalidValue,
  notSupported,
  required,
  tooMany,
} from '../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain, labelValue, qualifiedName } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateEndpointIp } from '../../meta/validate-endpoint-ip.ts'
import { validateIp } from '../../meta/validate-ip.ts'
import type { Endpoint, EndpointHints, EndpointPort, EndpointSlice } from '../../types/discovery.v1.ts'
import type { StringRule } from '../../meta/names.ts'

export const endpointSlice = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  hasGeneration: true,
  setDefaults: setSliceDefaults,
  validate: validateSlice,
  validateUpdate: (now, old) =>
    now.addressType === old.addressType ? [] : [invalidValue('addressType', now.addressType, immutableField)],
  cells: ({ metadata, addressType, ports, endpoints }, nowMs) => [
    metadata.name,
    addressType,
    firstFewCell((ports ?? []).map(portCell), 3, '<unset>'),
    firstFewCell(
      (endpoints ?? []).flatMap(({ addresses }) => addresses ?? []),
      3,
      '<unset>',
    ),
    ageOf(metadata.creationTimestamp, nowMs),
  ],
})

const maxEndpoints = 1000
const maxPorts = 20_000
const maxAddresses = 100

function setSliceDefaults(draft: Draft<EndpointSlice>): void {
  for (const port of draft.ports ?? []) {
    port.name ??= ''
    port.protocol ??= 'TCP'
  }
}

function portCell({ port, name }: EndpointPort): string {
  return port === undefined ? name || '*' : `${port}`
}

function validateSlice({ addressType, endpoints = [], ports = [] }: EndpointSlice): FieldError[] {
  const types = ['FQDN', 'IPv4', 'IPv6']
  const errors: FieldError[] = []
  if (((addressType as string | undefined) ?? '') === '') errors.push(required('addressType'))
  else if (!types.includes(addressType)) errors.push(notSupported('addressType', addressType, types))
  if (ports.length > maxPorts) errors.push(tooMany('ports', ports.length, maxPorts))
  else errors.push(...validatePorts(ports))
  if (endpoints.length > maxEndpoints) return [...errors, tooMany('endpoints', endpoints.length, maxEndpoints)]
  return [...errors, ...endpoints.flatMap((one, index) => validateEndpoint(one, addressType, `endpoints[${index}]`))]
}

function validatePorts(ports: readonly EndpointPort[]): FieldError[] {
  const names = new Set<string>()
  return ports.flatMap(({ name = '', port, protocol, appProtocol }, index) => {
    const path = `ports[${index}]`
    const errors = name === '' ? [] : invalidForEach(`${path}.name`, name, dnsLabel(name))
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
    names.add(name)
    const protocols = ['SCTP', 'TCP', 'UDP']
    if (protocol === undefined) errors.push(required(`${path}.protocol`))
    else if (!protocols.includes(protocol)) errors.push(notSupported(`${path}.protocol`, protocol, protocols))
    if (port !== undefined) errors.push(...validatePort(port, `${path}.port`))
    if (appProtocol !== undefined)
      errors.push(...invalidForEach(`${path}.appProtocol`, appProtocol, qualifiedName(appProtocol)))
    return errors
  })
}

function validateEndpoint({ hostname, nodeName, ...endpoint }: Endpoint, type: string, path: string): FieldError[] {
  const errors: FieldError[] = []
  const addresses = endpoint.addresses ?? []
  if (addresses.length === 0) errors.push(required(`${path}.addresses`, 'must contain at least 1 address'))
  else if (addresses.length > maxAddresses) errors.push(tooMany(`${path}.addresses`, addresses.length, maxAddresses))
  for (const [index, address] of addresses.entries()) {
    errors.push(...validateAddress(address, type, `${path}.addresses[${index}]`))
  }
  if (nodeName !== undefined) errors.push(...invalidForEach(`${path}.nodeName`, nodeName, dnsSubdomain(nodeName)))
  if (endpoint.hints !== undefined) errors.push(...validateHints(endpoint.hints, `${path}.hints`))
  if (hostname !== undefined) errors.push(...invalidForEach(`${path}.hostname`, hostname, dnsLabel(hostname)))
  return errors
}

const maxHints = 8

/** Zones and nodes that an endpoint is meant for; of each kind only a few. */
function validateHints({ forZones, forNodes }: EndpointHints, path: string): FieldError[] {
  return [
    ...validateHintNames(forZones ?? [], `${path}.forZones`, labelValue),
    ...validateHintNames(forNodes ?? [], `${path}.forNodes`, dnsSubdomain),
  ]
}

function validateHintNames(list: readonly { readonly name: string }[], path: string, rule: StringRule): FieldError[] {
  const names = list.map(({ name }) => name)
  const errors = names.length > maxHints ? [tooMany(path, names.length, maxHints)] : []
  for (const [index, name] of names.entries()) {
    const at = `${path}[${index}].name`
    if (names.indexOf(name) < index) errors.push(duplicate(at, name))
    if (name === '') errors.push(required(at))
    else errors.push(...invalidForEach(at, name, rule(name)))
  }
  return errors
}

function validateAddress(address: string, type: string, path: string): FieldError[] {
  if (type === 'FQDN') return validateDomain(address, path)
  const errors = validateIp(address, path)
  if (errors.length > 0) return errors
  const isSix = address.includes(':')
  if (type === 'IPv4' && isSix) errors.push(invalidValue(path, address, 'must be an IPv4 address'))
  if (type === 'IPv6' && !isSix) errors.push(invalidValue(path, address, 'must be an IPv6 address'))
  return [...errors, ...validateEndpointIp(address, path)]
}

function validateDomain(domain: string, path: string): FieldError[] {
  const name = domain.replace(/\.$/, '')
  if (name === '') return [required(path)]
  const errors = invalidForEach(path, name, dnsSubdomain(name))
  if (errors.length > 0 || name.includes('.')) return errors
  return [invalidValue(path, name, 'should be a domain with at least two segments separated by dots')]
}
