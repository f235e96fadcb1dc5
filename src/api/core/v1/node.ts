import { defineKind } from '../../kind.ts'
import { orNone } from '../../meta/cells.ts'
import { ageOf } from '../../meta/duration.ts'
import { warnAboutCidr } from '../../meta/validate-ip.ts'
import type { Node } from '../../types/core.v1.ts'
import { nodeAddress, nodeCondition, nodeRoles } from './node-facts.ts'
import { validateNode, validateNodeUpdate } from './validate-node.ts'

export const node = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  hasGeneration: false,
  setDefaults(draft) {
    const spec = (draft.spec ??= {})
    const { podCIDR = '', podCIDRs = [] } = spec
    if (podCIDR !== '' && podCIDR !== podCIDRs[0]) spec.podCIDRs = [podCIDR]
    else if (podCIDR === '' && podCIDRs[0]) spec.podCIDR = podCIDRs[0]
    const status = (draft.status ??= {})
    if (status.allocatable === undefined && status.capacity !== undefined) status.allocatable = { ...status.capacity }
  },
  /** A node registers itself together with its status. */
  prepareForCreate: () => {},
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  validateStatusUpdate: validateNodeUpdate,
  warnings: nodeWarnings,
  cells: nodeCells,
  selectableFields: ({ spec }) => ({ 'spec.unschedulable': String(spec.unschedulable ?? false) }),
})

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

function nodeWarnings({ spec }: Node): readonly string[] {
  return [
    ...(spec.configSource === undefined ? [] : ['spec.configSource: the feature is removed']),
    ...((spec.externalID ?? '') === '' ? [] : ['spec.externalID: this field is deprecated, and is unused']),
    ...(spec.podCIDRs ?? []).flatMap((cidr, index) => warnAboutCidr(cidr, `spec.podCIDRs[${index}]`)),
  ]
}
