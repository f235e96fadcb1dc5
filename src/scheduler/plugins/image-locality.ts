import type { Container } from '#api/types/core.v1.ts'
import { definePlugin, maxNodeScore } from '../framework.ts'

const megabyte = 1024 * 1024
const minBytes = 23 * megabyte
const maxContainerBytes = 1_000 * megabyte

/** Prefers nodes that already have the pod's images; an image that few nodes have counts less, against crowding. */
export const imageLocality = definePlugin<ReadonlyMap<string, number>>({
  name: 'ImageLocality',
  helpedBy: () => false,
  preFilter({ pod }, snapshot) {
    const names = containersOf(pod.spec).map(({ image }) => normalizedName(image ?? ''))
    const spread = new Map(
      names.map((name) => [name, snapshot.nodesWithImage(name) / Math.max(snapshot.nodes.length, 1)]),
    )
    return [...spread.values()].every((share) => share === 0) ? 'skip' : spread
  },
  signature: ({ pod }, spread) => JSON.stringify([...spread, containersOf(pod.spec).map(({ image }) => image)]),
  score({ pod }, node, spread) {
    const containers = containersOf(pod.spec)
    const sum = containers.reduce((total, { image }) => {
      const name = normalizedName(image ?? '')
      return total + (node.images.get(name) ?? 0) * (spread.get(name) ?? 0)
    }, 0)
    const max = maxContainerBytes * containers.length
    return Math.floor((maxNodeScore * (Math.min(Math.max(sum, minBytes), max) - minBytes)) / (max - minBytes))
  },
})

function containersOf(spec: {
  readonly containers: readonly Container[]
  readonly initContainers?: readonly Container[] | undefined
}): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers]
}

function normalizedName(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image
}
