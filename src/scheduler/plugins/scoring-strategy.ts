import { maxNodeScore } from '../framework.ts'

/** A resource that counts in a score, and how much. */
export interface WeightedResource {
  readonly name: string
  readonly weight: number
}

/** From how full (0..100) a node is with the pod to how good that is (0..10). */
export interface ShapePoint {
  readonly utilization: number
  readonly score: number
}

/** How `NodeResourcesFit` prefers nodes (KubeSchedulerConfiguration v1, `scoringStrategy`). */
export type ScoringStrategy =
  | { readonly type: 'LeastAllocated'; readonly resources: readonly WeightedResource[] }
  | { readonly type: 'MostAllocated'; readonly resources: readonly WeightedResource[] }
  | {
      readonly type: 'RequestedToCapacityRatio'
      readonly resources: readonly WeightedResource[]
      readonly shape: readonly ShapePoint[]
    }

export const cpuAndMemory: readonly WeightedResource[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
]

/** What is used of one resource of a node, with the pod on it. */
export interface ResourceUse {
  readonly capacity: number
  readonly used: number
  readonly weight: number
}

/** 0..100 from the uses of the resources that the node has. */
export type UseScore = (uses: readonly ResourceUse[]) => number

export function useScoreOf(strategy: ScoringStrategy): UseScore {
  if (strategy.type === 'LeastAllocated') return (uses) => Math.floor(weighted(uses, leftShare))
  if (strategy.type === 'MostAllocated') return (uses) => Math.floor(weighted(uses, usedShare))
  const { shape } = strategy
  // What scores nothing does not count at all, so that it cannot drag down what scores.
  return (uses) =>
    Math.round(
      weighted(
        uses.filter((use) => byShape(use, shape) > 0),
        (capacity, used) => byShape({ capacity, used }, shape),
      ),
    )
}

/** Of 100, the share that is left; 0 where more is used than there is. */
export function leftShare(capacity: number, used: number): number {
  return capacity === 0 || used > capacity ? 0 : Math.floor(((capacity - used) * maxNodeScore) / capacity)
}

function usedShare(capacity: number, used: number): number {
  // Pods that request nothing count for something, so that more may be used than there is.
  return capacity === 0 ? 0 : Math.floor((Math.min(used, capacity) * maxNodeScore) / capacity)
}

function weighted(uses: readonly ResourceUse[], score: (capacity: number, used: number) => number): number {
  let sum = 0
  let weights = 0
  for (const { capacity, used, weight } of uses) {
    sum += score(capacity, used) * weight
    weights += weight
  }
  return weights === 0 ? 0 : sum / weights
}

const maxShapeScore = 10

/** The line through the points of the shape, level before the first and after the last. */
function byShape({ capacity, used }: Omit<ResourceUse, 'weight'>, shape: readonly ShapePoint[]): number {
  const utilization = capacity === 0 || used > capacity ? 100 : Math.floor((used * 100) / capacity)
  const scaled = ({ score }: ShapePoint): number => (score * maxNodeScore) / maxShapeScore
  let before: ShapePoint | undefined
  for (const point of shape) {
    if (utilization <= point.utilization) {
      if (!before) return scaled(point)
      const rise = (scaled(point) - scaled(before)) * (utilization - before.utilization)
      return scaled(before) + Math.trunc(rise / (point.utilization - before.utilization))
    }
    before = point
  }
  return before ? scaled(before) : 0
}
