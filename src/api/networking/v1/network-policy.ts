import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { selectorCell } from '../../meta/cells.ts'
import { validatePort } from '../../meta/check-numbers.ts'
import { ageOf } from '../../meta/duration.ts'
import { forbiddenField, invalidForEach, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { portName } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { isStrictSubset, validateCidr } from '../../meta/validate-ip.ts'
import { validateLabelSelector } from '../../meta/validate-labels.ts'
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../types/networking.v1.ts'

export const networkPolicy = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  hasGeneration: true,
  setDefaults: setPolicyDefaults,
  validate: validatePolicy,
  cells: ({ metadata, spec }, nowMs) => [
    metadata.name,
    selectorCell(spec.podSelector),
    ageOf(metadata.creationTimestamp, nowMs),
  ],
})

/** Without `policyTypes` a policy is about ingress, and about egress too if it says something of it. */
function setPolicyDefaults(draft: Draft<NetworkPolicy>): void {
  const spec = (draft.spec ??= {})
  for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
    for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
  }
  if ((spec.policyTypes ?? []).length > 0) return
  spec.policyTypes = (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress']
}

function validatePolicy({ spec }: NetworkPolicy): FieldError[] {
  const errors = validateLabelSelector(spec.podSelector, 'spec.podSelector')
  for (const [index, { ports, from }] of (spec.ingress ?? []).entries()) {
    errors.push(...validateRule(ports, from, `spec.ingress[${index}]`, 'from'))
  }
  for (const [index, { ports, to }] of (spec.egress ?? []).entries()) {
    errors.push(...validateRule(ports, to, `spec.egress[${index}]`, 'to'))
  }
  const types = spec.policyTypes ?? []
  if (types.length > 2)
    errors.push(invalidValue('spec.policyTypes', types, 'may not specify more than two policyTypes'))
  else {
    for (const [index, type] of types.entries()) {
      if (type === 'Ingress' || type === 'Egress') continue
      errors.push(notSupported(`spec.policyTypes[${index}]`, type, ['Ingress', 'Egress']))
    }
  }
  return errors
}

function validateRule(
  ports: readonly NetworkPolicyPort[] | undefined,
  peers: readonly NetworkPolicyPeer[] | undefined,
  path: string,
  peerField: 'from' | 'to',
): FieldError[] {
  return [
    ...(ports ?? []).flatMap((port, index) => validatePolicyPort(port, `${path}.ports[${index}]`)),
    ...(peers ?? []).flatMap((peer, index) => validatePeer(peer, `${path}.${peerField}[${index}]`)),
  ]
}

const protocols = ['SCTP', 'TCP', 'UDP']

function validatePolicyPort({ protocol, port, endPort }: NetworkPolicyPort, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (protocol !== undefined && !protocols.includes(protocol)) {
    errors.push(notSupported(`${path}.protocol`, protocol, protocols))
  }
  if (typeof port === 'string') {
    if (endPort !== undefined) {
      errors.push(invalidValue(`${path}.endPort`, endPort, 'may not be specified when `port` is non-numeric'))
    }
    return [...errors, ...invalidForEach(`${path}.port`, port, portName(port))]
  }
  if (port === undefined) {
    if (endPort !== undefined) errors.push(required(`${path}.port`, 'must be specified when `endPort` is specified'))
    return errors
  }
  if (endPort !== undefined) {
    if (endPort < port) errors.push(invalidValue(`${path}.endPort`, port, 'must be greater than or equal to `port`'))
    errors.push(...validatePort(endPort, `${path}.endPort`))
  }
  return [...errors, ...validatePort(port, `${path}.port`)]
}

function validatePeer({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, path: string): FieldError[] {
  const errors = [
    ...validateLabelSelector(podSelector, `${path}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
    ...(ipBlock === undefined ? [] : validateBlock(ipBlock, `${path}.ipBlock`)),
  ]
  const selects = podSelector !== undefined || namespaceSelector !== undefined
  if (ipBlock === undefined && !selects) errors.push(required(path, 'must specify a peer'))
  else if (ipBlock !== undefined && selects) {
    errors.push(forbiddenField(path, 'may not specify both ipBlock and another peer'))
  }
  return errors
}

function validateBlock({ cidr, except }: IPBlock, path: string): FieldError[] {
  if (cidr === '') return [required(`${path}.cidr`)]
  const errors = validateCidr(cidr, `${path}.cidr`)
  if (errors.length > 0) return errors
  return (except ?? []).flatMap((one, index) => validateExcept(one, cidr, `${path}.except[${index}]`))
}

function validateExcept(except: string, cidr: string, path: string): FieldError[] {
  const errors = validateCidr(except, path)
  if (errors.length > 0 || isStrictSubset(except, cidr)) return errors
  return [invalidValue(path, except, 'must be a strict subset of `cidr`')]
}
