import type { NodeExplanation } from '#api/core/v1/scheduling-explanation.ts'

/** One thing that stands in the way. */
export interface Finding {
  /** One word for programs, such as `Unschedulable` or `ImagePull`. */
  readonly reason: string
  /** A sentence. */
  readonly message: string
  /** What would help, as instructions. */
  readonly remedies: readonly string[]
}

/** Why an object is not as it should be. */
export interface WhyReport {
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  /** `pending`: on its way, with nothing in the way that can be seen. */
  readonly state: 'fine' | 'pending' | 'stuck'
  readonly summary: string
  /** From the object that was asked about to the cause, one sentence each. */
  readonly chain: readonly string[]
  readonly causes: readonly Finding[]
  /** The nodes that a waiting pod comes nearest to. */
  readonly nodes: readonly NodeExplanation[]
  /** What could not be looked at. */
  readonly notes: readonly string[]
}

/** An object without anything in its way. */
export function fine(of: Pick<WhyReport, 'kind' | 'namespace' | 'name'>, summary: string): WhyReport {
  return { ...of, state: 'fine', summary, chain: [], causes: [], nodes: [], notes: [] }
}

/** An object with findings, or without any while it is on its way. */
export function troubled(
  of: Pick<WhyReport, 'kind' | 'namespace' | 'name'>,
  summary: string,
  causes: readonly Finding[],
  more: Partial<Pick<WhyReport, 'chain' | 'nodes' | 'notes'>> = {},
): WhyReport {
  const state = causes.length === 0 ? 'pending' : 'stuck'
  return { ...of, state, summary, chain: [], causes, nodes: [], notes: [], ...more }
}
