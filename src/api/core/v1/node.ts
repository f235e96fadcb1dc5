import { defineKind } from '../../kind.ts'
import { orNone } from '../../meta/cells.ts'
import { ageOf } from '../../meta/duration.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { duplicate, forbiddenField, invalidForEach, invalidValue, notSupported } from '../../meta/field-errors.ts'
import { labelKey, labelValue } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateCidr } from '../../meta/validate-ip.ts'
import type { Node, Taint } from '../../types/core.v1.ts'
import { nodeAddress, nodeCondition, nodeRoles } from './node-facts.ts'
import { validateResourceName, validateResourceQuantity } from './validate-resources.ts'

export const node = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  hasGeneration: false,
  setDefaults(draft) {
    const spec = (draft.spec ??= {})
    if (spec.podCIDRs === undefined && spec.podCIDR) spec.podCIDRs = [spec.podCIDR]
    else if (spec.podCIDR === undefined && spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0]
    const status = (draft.status ??= {})
    if (status.allocatable === undefined && status.capacity !== undefined) status.allocatable = { ...status.capacity }
  },
  /** A node registers itself together with its status. */
  prepareForCreate: () => {},
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  cells: nodeCells,
  selectableFields: ({ spec }) => ({ 'spec.unschedulable': String(spec.unschedulable ?? false) }),
})

function validateNode({ spec, status }: Node): FieldError[] {
  const errors = validateTaints(spec.taints ?? [], 'metadata.taints')
  for (const [name, quantity] of Object.entries(status?.capacity ?? {})) {
    const path = `status.capacity[${name}]`
    errors.push(...validateResourceName(name, path), ...validateResourceQuantity(name, quantity, path))
  }
  return [...errors, ...validatePodCidrs(spec.podCIDRs ?? [])]
}

function validatePodCidrs(cidrs: readonly string[]): FieldError[] {
  const errors = cidrs.flatMap((cidr, index) => validateCidr(cidr, `spec.podCIDRs[${index}]`))
  const families = new Set(cidrs.map((cidr) => cidr.includes(':')))
  if (cidrs.length > 2 || (cidrs.length === 2 && families.size === 1)) {
    errors.push(invalidValue('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family'))
  }
  return errors
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

function validateTaints(taints: readonly Taint[], path: string): FieldError[] {
  const seen = new Set<string>()
  return taints.flatMap(({ key, value = '', effect }, index) => {
    const at = `${path}[${index}]`
    const errors = invalidForEach(`${at}.key`, key, labelKey(key))
    const wrong = labelValue(value)
    if (wrong.length > 0) errors.push(invalidValue(`${at}.value`, value, wrong.join(';')))
    if (!effects.includes(effect)) errors.push(notSupported(`${at}.effect`, effect ?? '', effects))
    const pair = `${key} ${effect}`
    if (seen.has(pair)) {
      errors.push({
        ...duplicate(at, { key, value, effect }),
        message: `Duplicate value: ${JSON.stringify({ key, value, effect })}: taints must be unique by key and effect pair`,
      })
    }
    seen.add(pair)
    return errors
  })
}

function validateNodeUpdate(now: Node, old: Node): FieldError[] {
  const errors: FieldError[] = []
  const settled = (old.spec.podCIDRs ?? []).length > 0
  if (settled && !deepEqual(now.spec.podCIDRs, old.spec.podCIDRs)) {
    const detail = 'node updates may not change podCIDR except from "" to valid'
    errors.push(forbiddenField('spec.podCIDRs', detail))
  }
  if ((old.spec.providerID ?? '') !== '' && now.spec.providerID !== old.spec.providerID) {
    const detail = 'node updates may not change providerID except from "" to valid'
    errors.push(forbiddenField('spec.providerID', detail))
  }
  return errors
}

function nodeCells(node: Node, nowMs: number): readonly unknown[] {
  const ready = nodeCondition(node, 'Ready')
  const states = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady']
  if (node.spec.unschedulable === true) states.push('SchedulingDisabled')
  const info = node.status?.nodeInfo
  return [
    node.metadata.name,
    states.join(','),
    orNone(nodeRoles(node).join(',')),
    ageOf(node.metadata.creationTimestamp, nowMs),
    info?.kubeletVersion ?? '',
    orNone(nodeAddress(node, 'InternalIP')),
    orNone(nodeAddress(node, 'ExternalIP')),
    info?.osImage || '<unknown>',
    info?.kernelVersion || '<unknown>',
    info?.containerRuntimeVersion || '<unknown>',
  ]
}
