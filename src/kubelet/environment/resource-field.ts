import { resourceAmount, type ResourceAmounts } from '#api/core/v1/resource-amounts.ts'
import type { Container, Pod, ResourceFieldSelector } from '#api/types/core.v1.ts'

/**
 * A request or limit of a container, in units of the divisor, rounded up. A limit that is not set is the pod's, or what the
 * node can give (API reference, ResourceFieldSelector). `undefined` when the container or the resource is not known.
 */
export function resourceFieldValue(
  pod: Pod,
  selector: ResourceFieldSelector,
  { container: own, allocatable }: { readonly container?: Container; readonly allocatable: ResourceAmounts },
): string | undefined {
  const container = selector.containerName ? containerNamed(pod, selector.containerName) : own
  const [kind, name] = splitOnce(selector.resource)
  if (container === undefined || (kind !== 'limits' && kind !== 'requests')) return undefined
  const { limits = {}, requests = {} } = container.resources ?? {}
  const given = limits[name] ?? pod.spec.resources?.limits?.[name]
  const limit = given === undefined ? allocatable[name] : resourceAmount(name, given)
  const request =
    requests[name] === undefined ? resourceAmount(name, limits[name] ?? '0') : resourceAmount(name, requests[name])
  const amount = kind === 'limits' ? (limit ?? 0) : request
  const divisor = selector.divisor === undefined || selector.divisor === '0' ? '1' : selector.divisor
  return String(Math.ceil(amount / (resourceAmount(name, divisor) || 1)))
}

function containerNamed({ spec }: Pod, name: string): Container | undefined {
  return [...spec.containers, ...(spec.initContainers ?? [])].find((container) => container.name === name)
}

function splitOnce(text: string): readonly [string, string] {
  const cut = text.indexOf('.')
  return cut < 0 ? [text, ''] : [text.slice(0, cut), text.slice(cut + 1)]
}
