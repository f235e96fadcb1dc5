import { labelValue } from '../../meta/names.ts'
import type { NodeSelectorTerm } from '../../types/core.v1.ts'

/** Labels of nodes under their old names. */
const renamedLabels: Readonly<Record<string, readonly [since: string, name: string]>> = {
  'beta.kubernetes.io/arch': ['v1.14', 'kubernetes.io/arch'],
  'beta.kubernetes.io/os': ['v1.14', 'kubernetes.io/os'],
  'failure-domain.beta.kubernetes.io/region': ['v1.17', 'topology.kubernetes.io/region'],
  'failure-domain.beta.kubernetes.io/zone': ['v1.17', 'topology.kubernetes.io/zone'],
  'beta.kubernetes.io/instance-type': ['v1.17', 'node.kubernetes.io/instance-type'],
}

/** What is said of a label that has another name today; undefined for any other. */
export function labelDeprecation(key: string): string | undefined {
  const renamed = renamedLabels[key]
  return renamed && `deprecated since ${renamed[0]}; use "${renamed[1]}" instead`
}

/** Values are checked where nobody else does: in wishes. */
export function nodeTermWarnings(
  { matchExpressions }: NodeSelectorTerm,
  path: string,
  checked: 'keys' | 'keys and values' = 'keys',
): readonly string[] {
  return (matchExpressions ?? []).flatMap(({ key, values }, index) => {
    const at = `${path}.matchExpressions[${index}]`
    const deprecation = labelDeprecation(key)
    const warnings = deprecation === undefined ? [] : [`${at}.key: ${key} is ${deprecation}`]
    if (checked === 'keys') return warnings
    for (const [position, value] of (values ?? []).entries()) {
      for (const why of labelValue(value)) warnings.push(`${at}.values[${position}]: ${value} is invalid, ${why}`)
    }
    return warnings
  })
}
