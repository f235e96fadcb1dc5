import type { Container, EphemeralContainer, PodSpec } from '../../../types/core.v1.ts'

export interface PlacedContainer {
  readonly container: Container | EphemeralContainer
  readonly path: string
}

/** All containers of a pod and where they stand: those that initialize it first, those for a look last. */
export function containersWithPath(spec: PodSpec, path: string): readonly PlacedContainer[] {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, index) => ({ container, path: `${path}.${list}[${index}]` })),
  )
}
