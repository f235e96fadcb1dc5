import type { Container, EphemeralContainer, PodSpec } from '../../../types/core.v1.ts'

export interface PlacedContainer {
  readonly container: Container | EphemeralContainer
  readonly path: string
}

const lists = ['initContainers', 'containers', 'ephemeralContainers'] as const

/** All containers of a pod and where they stand: those that initialize it first, those for a look last. */
export function containersWithPath(spec: PodSpec, path: string): readonly PlacedContainer[] {
  const placed: PlacedContainer[] = []
  for (const list of lists) {
    const containers: readonly (Container | EphemeralContainer)[] = spec[list] ?? []
    for (let index = 0; index < containers.length; index++) {
      placed.push({ container: containers[index] as Container, path: `${path}.${list}[${index}]` })
    }
  }
  return placed
}
