import type { NodeSet, ResourceHints, TopologyHint } from './hint.ts'

export type TopologyPolicy = 'none' | 'best-effort' | 'restricted' | 'single-numa-node'

export interface MergeInput {
  readonly policy: TopologyPolicy
  readonly nodes: readonly number[]
  /** From each of those who give out resources. */
  readonly hints: readonly ResourceHints[]
  /** Average distance within a set of nodes, where nearer ones are to be chosen. */
  readonly distance?: (nodes: NodeSet) => number
}

export interface MergedHint extends TopologyHint {
  readonly isAdmitted: boolean
}

/**
 * The one place for everything that a container asks for (KEP-693): of all combinations of one hint for each resource,
 * the best set of nodes that all of them share. A preferred one beats others, then the narrower one wins.
 */
export function mergeHints(input: MergeInput): MergedHint {
  const { policy, nodes } = input
  const all: NodeSet = new Set(nodes)
  const lists = choices(input)
  const best = bestOf(combinations(lists, all), input, widestNarrowest(lists))
  if (best === undefined || policy !== 'single-numa-node') {
    const chosen = best ?? { nodes: all, isPreferred: false }
    return { ...chosen, isAdmitted: policy === 'none' || policy === 'best-effort' || chosen.isPreferred }
  }
  // All nodes together say no more than that it does not matter.
  const isEverything = best.nodes?.size === all.size
  return {
    ...(best.nodes && !isEverything && { nodes: best.nodes }),
    isPreferred: best.isPreferred,
    isAdmitted: best.isPreferred,
  }
}

type HintList = readonly TopologyHint[]

function choices({ hints, policy }: MergeInput): readonly HintList[] {
  const lists = hints
    .flatMap((each) => Object.values(each))
    .map((list): HintList => {
      if (list === undefined) return [{ isPreferred: true }]
      return list.length === 0 ? [{ isPreferred: false }] : list
    })
  if (policy !== 'single-numa-node') return lists
  return lists.map((list) =>
    list.filter(({ nodes, isPreferred }) => isPreferred && (nodes === undefined || nodes.size === 1)),
  )
}

/** What each combination has in common; those that share nothing are left out. */
function combinations(lists: readonly HintList[], all: NodeSet): readonly TopologyHint[] {
  const joined = lists.reduce<readonly Combination[]>(
    (before, list) => distinct(before.flatMap((combination) => list.map((hint) => join(combination, hint)))),
    [{ shared: all, isPreferred: true }],
  )
  return joined
    .filter(({ shared }) => shared.size > 0)
    .map(({ shared, isPreferred }) => ({ nodes: shared, isPreferred }))
}

interface Combination {
  readonly shared: NodeSet
  /** The nodes of the first hint that names any: to be preferred, all others must name the same. */
  readonly named?: NodeSet
  readonly isPreferred: boolean
}

function join({ shared, named, isPreferred }: Combination, { nodes, isPreferred: isGood }: TopologyHint): Combination {
  const isAlike = nodes === undefined || named === undefined || isEqual(nodes, named)
  const first = named ?? nodes
  return {
    shared: nodes === undefined ? shared : shared.intersection(nodes),
    ...(first && { named: first }),
    isPreferred: isPreferred && isGood && isAlike,
  }
}

/** Most combinations come to the same: without this their number would grow with every resource. */
function distinct(combinations: readonly Combination[]): readonly Combination[] {
  const key = ({ shared, named, isPreferred }: Combination): string =>
    `${weight(shared)} ${named === undefined ? '' : weight(named)} ${isPreferred}`
  return [...new Map(combinations.map((each) => [key(each), each])).values()]
}

function isEqual(a: NodeSet, b: NodeSet): boolean {
  return a.size === b.size && a.isSubsetOf(b)
}

/** As many nodes as the resource needs that needs the most: no use in fewer where not everything can be preferred. */
function widestNarrowest(lists: readonly HintList[]): number {
  const narrowest = lists.flatMap((list) => {
    const sizes = list.flatMap(({ nodes }) => (nodes === undefined ? [] : [nodes.size]))
    return sizes.length === 0 ? [] : [Math.min(...sizes)]
  })
  return Math.max(0, ...narrowest)
}

function bestOf(hints: HintList, input: MergeInput, usefulSize: number): TopologyHint | undefined {
  return hints.reduce<TopologyHint | undefined>((best, hint) => {
    return best === undefined || isBetter(hint, best, { ...input, usefulSize }) ? hint : best
  }, undefined)
}

function isBetter(hint: TopologyHint, best: TopologyHint, rule: MergeInput & { readonly usefulSize: number }): boolean {
  if (hint.isPreferred !== best.isPreferred) return hint.isPreferred
  const [size, bestSize] = [hint.nodes?.size ?? 0, best.nodes?.size ?? 0]
  if (size === bestSize) return isNearer(hint.nodes ?? new Set(), best.nodes ?? new Set(), rule)
  if (hint.isPreferred || bestSize > rule.usefulSize) return size < bestSize
  if (bestSize === rule.usefulSize || size > rule.usefulSize) return false
  return size > bestSize
}

/** Between sets of one size: the nearer one where that counts, else the one with the lower numbers. */
function isNearer(nodes: NodeSet, best: NodeSet, { distance }: MergeInput): boolean {
  const difference = distance === undefined ? 0 : distance(nodes) - distance(best)
  return difference === 0 ? weight(nodes) < weight(best) : difference < 0
}

function weight(nodes: NodeSet): number {
  return [...nodes].reduce((sum, node) => sum + 2 ** node, 0)
}
