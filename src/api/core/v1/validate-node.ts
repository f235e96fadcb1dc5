import {
  duplicate,
  forbiddenField,
  invalidForEach,
  invalidValue,
  notSupported,
  required,
} from '../../meta/field-errors.ts'
import { configMapKey, dnsLabel, dnsSubdomain, labelKey, labelValue } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateCidr } from '../../meta/validate-ip.ts'
import type { ConfigMapNodeConfigSource, Node, NodeConfigSource, Taint } from '../../types/core.v1.ts'
import { validateResourceQuantity } from './validate-resources.ts'

/** Errors of a node, in the order of the API server. */
export function validateNode(node: Node): FieldError[] {
  const { spec, status } = node
  const swap = status?.nodeInfo?.swap?.capacity
  return [
    ...validateTaints(spec.taints ?? [], 'metadata.taints'),
    ...validateAmounts(node),
    ...(swap !== undefined && swap <= 0
      ? [invalidValue('metadata.nodeSwapStatus.capacity', swap, 'must be greater than zero')]
      : []),
    ...validateFeatures(status?.declaredFeatures ?? [], 'status.declaredFeatures'),
    ...validatePodCidrs(spec.podCIDRs ?? []),
  ]
}

/** Addresses and identity of a node are given once; much of it is looked at a second time. */
export function validateNodeUpdate(now: Node, old: Node): FieldError[] {
  const { spec, status } = now
  return [
    ...validateAmounts(now),
    ...validateFeatures(status?.declaredFeatures ?? [], 'status.declaredFeatures'),
    ...validateAddresses(status?.addresses ?? []),
    ...validatePodCidrUpdate(spec.podCIDRs ?? [], old.spec.podCIDRs ?? []),
    ...((old.spec.providerID ?? '') !== '' && spec.providerID !== old.spec.providerID
      ? [forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid')]
      : []),
    ...(spec.configSource === undefined ? [] : validateConfigSource(spec.configSource, 'spec.configSource')),
    ...validateTaints(spec.taints ?? [], 'metadata.taints'),
    ...((spec.externalID ?? '') === (old.spec.externalID ?? '')
      ? []
      : [forbiddenField('spec.externalID', 'may not be updated')]),
  ]
}

/** The names of the resources are not looked at, only the amounts. */
function validateAmounts({ status }: Node): FieldError[] {
  return (['capacity', 'allocatable'] as const).flatMap((part) =>
    Object.entries(status?.[part] ?? {}).flatMap(([name, quantity]) =>
      validateResourceQuantity(name, quantity, `status.${part}.${name}`),
    ),
  )
}

const longestFeature = 253
const featureName = /^[A-Z][A-Za-z0-9]*(?:\/[A-Za-z0-9]+)*$/

/** Sorted, each once. */
function validateFeatures(features: readonly string[], path: string): FieldError[] {
  return features.flatMap((feature, index) => {
    const subject = `invalid feature name ${JSON.stringify(feature)}`
    const errors: FieldError[] = []
    if (feature.length > longestFeature) {
      const detail = `${subject}: must be no more than ${longestFeature} characters`
      errors.push(invalidValue(`${path}[${index}]`, feature, detail))
    } else if (!featureName.test(feature)) {
      const shape = 'must start with an UpperCamelCase segment, with subsequent segments separated by'
      const rule = `${shape} '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`
      errors.push(invalidValue(`${path}[${index}]`, feature, `${subject}: ${rule}`))
    }
    const next = features[index + 1]
    if (next === undefined || feature < next) return errors
    const at = `${path}[${index + 1}]`
    const order = 'list must be sorted alphabetically'
    return [...errors, feature === next ? duplicate(at, next) : invalidValue(at, next, order)]
  })
}

function validatePodCidrs(cidrs: readonly string[]): FieldError[] {
  const errors = cidrs.flatMap((cidr, index) => validateCidr(cidr, `spec.podCIDRs[${index}]`))
  const families = new Set(cidrs.map((cidr) => cidr.includes(':')))
  if (cidrs.length > 2 || (cidrs.length === 2 && families.size === 1)) {
    errors.push(invalidValue('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family'))
  }
  return errors
}

function validatePodCidrUpdate(now: readonly string[], before: readonly string[]): FieldError[] {
  if (before.length === 0) return []
  const error = forbiddenField('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid')
  if (before.length !== now.length) return [error]
  return before.flatMap((cidr, index) => (cidr === now[index] ? [] : [error]))
}

function validateAddresses(addresses: NonNullable<NonNullable<Node['status']>['addresses']>): FieldError[] {
  const seen = new Set<string>()
  return addresses.flatMap(({ type, address }, index) => {
    const key = JSON.stringify([type, address])
    const errors = seen.has(key) ? [duplicate(`status.addresses[${index}]`, { Type: type, Address: address })] : []
    seen.add(key)
    return errors
  })
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

function validateTaints(taints: readonly Taint[], path: string): FieldError[] {
  const seen = new Set<string>()
  return taints.flatMap((taint, index) => {
    const { key = '', value = '', effect = '' as string, timeAdded } = taint as Partial<Taint>
    const at = `${path}[${index}]`
    const errors = invalidForEach(`${at}.key`, key, labelKey(key))
    const wrong = labelValue(value)
    if (wrong.length > 0) errors.push(invalidValue(`${at}.value`, value, wrong.join(';')))
    if (effect === '') errors.push(required(`${at}.effect`))
    else if (!effects.includes(effect)) errors.push(notSupported(`${at}.effect`, effect, effects))
    const pair = `${key} ${effect}`
    if (seen.has(pair)) {
      const shown = { Key: key, Value: value, Effect: effect, TimeAdded: timeAdded ?? null }
      errors.push(duplicate(at, shown, 'taints must be unique by key and effect pair'))
    }
    seen.add(pair)
    return errors
  })
}

/** A kubelet's configuration from the API: not in use any more, but still checked. */
function validateConfigSource({ configMap }: NodeConfigSource, path: string): FieldError[] {
  if (configMap === undefined) {
    return [invalidValue(path, { ConfigMap: null }, 'exactly one reference subfield must be non-nil')]
  }
  const at = `${path}.configMap`
  const errors: FieldError[] = []
  if ((configMap.uid ?? '') !== '') errors.push(forbiddenField(`${at}.uid`, 'uid must not be set in spec'))
  if ((configMap.resourceVersion ?? '') !== '') {
    errors.push(forbiddenField(`${at}.resourceVersion`, 'resourceVersion must not be set in spec'))
  }
  return [...errors, ...validateConfigReference(configMap, at)]
}

function validateConfigReference(source: ConfigMapNodeConfigSource, path: string): FieldError[] {
  const rules = [
    ['namespace', dnsLabel],
    ['name', dnsSubdomain],
    ['kubeletConfigKey', configMapKey],
  ] as const
  return rules.flatMap(([field, rule]) => {
    const value: string = source[field] ?? ''
    return value === '' ? [required(`${path}.${field}`)] : invalidForEach(`${path}.${field}`, value, rule(value))
  })
}
