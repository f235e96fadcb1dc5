import { resourceAmounts } from '#api/core/v1/resource-amounts.ts'
import type { Container } from '#api/types/core.v1.ts'

/** How many devices of which of the given resources a container asks for. */
export function requestedDevices(
  { resources }: Container,
  isDevice: (resource: string) => boolean,
): readonly (readonly [resource: string, count: number])[] {
  const amounts = resourceAmounts(resources?.limits)
  return Object.entries(amounts).flatMap(([name, count]) => {
    return count !== undefined && count > 0 && isDevice(name) ? [[name, count] as const] : []
  })
}
