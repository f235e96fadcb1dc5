import { forbiddenField, invalidValue, notSupported } from '../../../meta/field-errors.ts'
import { addQuantities, compareQuantities } from '../../../meta/quantity.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { Container, PodSpec } from '../../../types/core.v1.ts'
import { isSidecar } from '../pod-facts.ts'
import { isPodLevelResource } from '../pod-resources.ts'
import { isHugePageResource, validateResourceName, validateResourceRequirements } from '../validate-resources.ts'

/** What a pod as a whole may use (KEP-2837): enough for its containers, and no container more than that. */
export function validatePodLevelResources(spec: PodSpec, claimNames: ReadonlySet<string>, path: string): FieldError[] {
  if (spec.resources === undefined) return []
  if (spec.os?.name === 'windows') return [forbiddenField(path, 'may not be set for a windows pod')]
  const errors =
    spec.resources.claims === undefined
      ? []
      : [forbiddenField(`${path}.claims`, 'claims may not be set for Resources at pod-level')]
  return [
    ...errors,
    ...validateResourceRequirements(spec.resources, claimNames, path, validatePodResourceName),
    ...validateConsistency(spec, path),
  ]
}

function validatePodResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path)
  if (errors.length > 0 || isPodLevelResource(name)) return errors
  return [notSupported(path, name, ['cpu', 'hugepages-', 'memory'])]
}

type Amounts = Readonly<Record<string, string>>

function validateConsistency(spec: PodSpec, path: string): FieldError[] {
  const { requests = {}, limits = {} } = spec.resources ?? {}
  const errors: FieldError[] = []
  for (const [name, sum] of Object.entries(aggregate(spec, 'requests'))) {
    const own = requests[name]
    if (own === undefined || compareQuantities(sum, own) <= 0) continue
    const detail = `must be greater than or equal to aggregate container requests of ${sum}`
    errors.push(invalidValue(`${path}.requests[${name}]`, own, detail))
  }
  for (const [name, sum] of Object.entries(aggregate(spec, 'limits'))) {
    const own = limits[name]
    if (own === undefined || !isHugePageResource(name) || compareQuantities(sum, own) <= 0) continue
    const detail = `must be greater than or equal to aggregate container limits of ${sum}`
    errors.push(invalidValue(`${path}.limits[${name}]`, own, detail))
  }
  for (const [index, { resources }] of (spec.containers ?? []).entries()) {
    for (const [name, limit] of Object.entries(resources?.limits ?? {})) {
      const own = limits[name]
      if (own === undefined || compareQuantities(limit, own) <= 0) continue
      const at = `${path}.containers[${index}][${name}].limits`
      errors.push(invalidValue(at, limit, `must be less than or equal to pod limits of ${own}`))
    }
  }
  return errors
}

/** As a node counts it: sidecars run beside all that follows, other init containers one at a time. */
function aggregate({ containers, initContainers }: PodSpec, part: 'requests' | 'limits'): Amounts {
  const of = ({ resources }: Container): Amounts => resources?.[part] ?? {}
  let running = (containers ?? []).map(of).reduce(add, {})
  let sidecars: Amounts = {}
  let largest: Amounts = {}
  for (const container of initContainers ?? []) {
    const step = add(sidecars, of(container))
    if (isSidecar(container)) {
      running = add(running, of(container))
      sidecars = step
    }
    largest = greater(largest, step)
  }
  return greater(running, largest)
}

function add(left: Amounts, right: Amounts): Amounts {
  const sum: Record<string, string> = { ...left }
  for (const [name, amount] of Object.entries(right)) sum[name] = addQuantities(sum[name] ?? '0', amount)
  return sum
}

function greater(left: Amounts, right: Amounts): Amounts {
  const most: Record<string, string> = { ...left }
  for (const [name, amount] of Object.entries(right)) {
    const known = most[name]
    if (known === undefined || compareQuantities(amount, known) > 0) most[name] = amount
  }
  return most
}
