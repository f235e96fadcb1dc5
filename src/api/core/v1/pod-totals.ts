import { addQuantities, compareQuantities } from '../../meta/quantity.ts'
import type { Quantity } from '../../types/meta.v1.ts'
import type { Container, PodSpec } from '../../types/core.v1.ts'

type Amounts = Readonly<Record<string, Quantity>>

/** What a pod asks for as a whole, overhead included. */
export interface PodTotals {
  readonly requests: Amounts
  readonly limits: Amounts
}

/**
 * Containers and sidecars run together, so they add up; each other init container runs alone beside the sidecars started
 * before it, so the greatest counts (KEP-753).
 */
export function podTotals(spec: PodSpec): PodTotals {
  return { requests: totalOf(spec, 'requests'), limits: totalOf(spec, 'limits') }
}

function totalOf(spec: PodSpec, part: 'requests' | 'limits'): Amounts {
  const own = (container: Container): Amounts => container.resources?.[part] ?? {}
  let running: Amounts = spec.containers.map(own).reduce(add, {})
  let sidecars: Amounts = {}
  let peak: Amounts = {}
  for (const init of spec.initContainers ?? []) {
    if (init.restartPolicy === 'Always') {
      running = add(running, own(init))
      sidecars = add(sidecars, own(init))
      peak = greatest(peak, sidecars)
    } else peak = greatest(peak, add(sidecars, own(init)))
  }
  const total = { ...greatest(running, peak), ...spec.resources?.[part] }
  const overhead = Object.entries(spec.overhead ?? {}).filter(([name]) => part === 'requests' || name in total)
  return add(total, Object.fromEntries(overhead))
}

function add(left: Amounts, right: Amounts): Amounts {
  return merge(left, right, addQuantities)
}

function greatest(left: Amounts, right: Amounts): Amounts {
  return merge(left, right, (a, b) => (compareQuantities(a, b) >= 0 ? a : b))
}

function merge(left: Amounts, right: Amounts, join: (a: Quantity, b: Quantity) => Quantity): Amounts {
  const merged: Record<string, Quantity> = { ...left }
  for (const [name, value] of Object.entries(right)) {
    const known = merged[name]
    merged[name] = known === undefined ? value : join(known, value)
  }
  return merged
}
