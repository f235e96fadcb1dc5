/** Why the scheduler sent a pod where it went, or nowhere: its last decision about the pod, as it is served. */
export interface SchedulingExplanation {
  /** `namespace/name`. */
  readonly pod: string
  readonly uid: string
  readonly decidedMs: number
  /** The node that was chosen. */
  readonly node?: string
  /** What the pod's condition says; set when no node was chosen. */
  readonly message?: string
  /** What kept the pod from all nodes at once. */
  readonly veto?: NodeObjection
  /** How many nodes each plugin turned down for each reason. */
  readonly counts: readonly ReasonCount[]
  /** What was said of single nodes, those that lack least first; not of all where there are many. */
  readonly nodes: readonly NodeExplanation[]
  readonly rejectedNodes: number
  readonly feasibleNodes: number
}

/** Why not, in the words of the plugin that said so. Reasons of one plugin stand on lines of their own. */
interface NodeObjection {
  readonly plugin: string
  readonly reason: string
  /** Removing pods from the node would not help. */
  readonly unresolvable?: boolean
  /** What is missing, where it can be counted. */
  readonly missing?: readonly Shortage[]
}

export interface NodeExplanation extends NodeObjection {
  readonly node: string
  /** What would make the node suit, as in `free 200m cpu on n3`. */
  readonly remedy?: string
}

/** `cpu` in thousandths of a core, everything else in its own unit. */
export interface Shortage {
  readonly resource: string
  readonly requested: number
  readonly free: number
}

/** How many nodes a plugin turned down for one reason. */
export interface ReasonCount {
  readonly plugin: string
  readonly reason: string
  readonly nodes: number
}

/** Where the server tells the last decision about a pod: 404 while there is none, 503 where no scheduler runs. */
export function explanationPath(namespace: string, name: string): string {
  return `${explanationPrefix}${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`
}

export const explanationPrefix = '/debug/scheduling/namespaces/'

/** An amount as quantities are written: `200m` cpu, `1536Mi` memory. */
export function formatShortage({ resource, requested, free }: Shortage): string {
  return formatAmount(resource, requested - Math.max(free, 0))
}

const binaryUnits = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi']

export function formatAmount(resource: string, amount: number): string {
  if (resource === 'cpu') return amount % 1_000 === 0 ? String(amount / 1_000) : `${amount}m`
  const isBytes = resource === 'memory' || resource === 'ephemeral-storage' || resource.startsWith('hugepages-')
  if (!isBytes) return String(amount)
  let unit = 0
  let left = amount
  while (left >= 1_024 && left % 1_024 === 0 && unit < binaryUnits.length - 1) {
    left /= 1_024
    unit++
  }
  return `${left}${binaryUnits[unit]}`
}
