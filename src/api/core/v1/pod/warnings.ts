import { isSameJson } from '../../../meta/merge-patch.ts'
import { dnsLabel } from '../../../meta/names.ts'
import { parseQuantity } from '../../../meta/quantity.ts'
import type { Container, Pod, PodSpec, PodTemplateSpec } from '../../../types/core.v1.ts'

/** What the API server says of a new pod that it accepts all the same. */
export function podWarnings({ metadata, spec }: Pod, old?: Pod): readonly string[] {
  const warnings = podSpecWarnings(spec, old?.spec, 'spec')
  const labelProblems = old === undefined ? dnsLabel(metadata.name) : []
  if (labelProblems.length === 0) return warnings
  const why = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended"
  return [`metadata.name: ${why}: [${labelProblems.join(' ')}]`, ...warnings]
}

/** The same for the template of a workload; a template that did not change is not complained of again. */
export function templateWarnings(
  template: PodTemplateSpec | undefined,
  old: PodTemplateSpec | undefined,
  path: string = 'spec.template',
): readonly string[] {
  return template === undefined ? [] : podSpecWarnings(template.spec, old?.spec, `${path}.spec`)
}

function podSpecWarnings(spec: PodSpec, old: PodSpec | undefined, path: string): readonly string[] {
  if (old !== undefined && isSameJson(old, spec)) return []
  const lists = [
    ['initContainers', spec.initContainers],
    ['containers', spec.containers],
  ] as const
  const warnings = nodeSelectorWarnings(spec, path)
  for (const [list, containers] of lists) {
    for (const [index, container] of (containers ?? []).entries()) {
      warnings.push(...containerWarnings(container, `${path}.${list}[${index}]`))
    }
  }
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    const rule = 'must be >= 0; negative values are invalid and will be treated as 1'
    warnings.push(`${path}.terminationGracePeriodSeconds: ${rule}`)
  }
  return warnings
}

/** Labels of nodes under their old names. */
const renamedLabels: Readonly<Record<string, readonly [since: string, name: string]>> = {
  'beta.kubernetes.io/arch': ['v1.14', 'kubernetes.io/arch'],
  'beta.kubernetes.io/os': ['v1.14', 'kubernetes.io/os'],
  'failure-domain.beta.kubernetes.io/region': ['v1.17', 'topology.kubernetes.io/region'],
  'failure-domain.beta.kubernetes.io/zone': ['v1.17', 'topology.kubernetes.io/zone'],
  'beta.kubernetes.io/instance-type': ['v1.17', 'node.kubernetes.io/instance-type'],
}

function nodeSelectorWarnings({ nodeSelector }: PodSpec, path: string): string[] {
  return Object.keys(nodeSelector ?? {}).flatMap((key) => {
    const renamed = renamedLabels[key]
    if (renamed === undefined) return []
    return [`${path}.nodeSelector[${key}]: deprecated since ${renamed[0]}; use "${renamed[1]}" instead`]
  })
}

function containerWarnings({ env, resources }: Container, path: string): readonly string[] {
  const warnings: string[] = []
  const names = new Set<string>()
  for (const [index, { name }] of (env ?? []).entries()) {
    const rule = `hides previous definition of "${name}", which may be dropped when using apply`
    if (names.has(name)) warnings.push(`${path}.env[${index}]: ${rule}`)
    names.add(name)
  }
  for (const part of ['limits', 'requests'] as const) {
    for (const name of ['memory', 'ephemeral-storage']) {
      const quantity = resources?.[part]?.[name]
      if (quantity === undefined || parseQuantity(quantity).nanos % 1_000_000_000n === 0n) continue
      const rule = `fractional byte value "${quantity}" is invalid, must be an integer`
      warnings.push(`${path}.resources.${part}[${name}]: ${rule}`)
    }
  }
  return warnings
}
