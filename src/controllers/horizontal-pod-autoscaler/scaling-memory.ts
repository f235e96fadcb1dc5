interface At {
  readonly replicas: number
  readonly atMs: number
}

/** Longest stabilisation window and policy period that an autoscaler may ask for. */
const longestMs = 3_600_000

/** What one autoscaler wished and did lately. A restart forgets it, and learns it anew from then. */
export class ScalingMemory {
  /** Which pods its target has, as last seen. */
  selector: string | undefined
  #recommendations: readonly At[] = []
  #changes: readonly At[] = []

  recommend(replicas: number, atMs: number): void {
    this.#recommendations = recent([...this.#recommendations, { replicas, atMs }], atMs)
  }

  get isEmpty(): boolean {
    return this.#recommendations.length === 0
  }

  recommendedSince(sinceMs: number): readonly number[] {
    return this.#recommendations.filter(({ atMs }) => atMs > sinceMs).map(({ replicas }) => replicas)
  }

  /** Notes that replicas were added, or taken away as a negative number. */
  changed(by: number, atMs: number): void {
    this.#changes = recent([...this.#changes, { replicas: by, atMs }], atMs)
  }

  /** Sum of all changes since then. */
  changeSince(sinceMs: number): number {
    return this.#changes.filter(({ atMs }) => atMs > sinceMs).reduce((sum, { replicas }) => sum + replicas, 0)
  }
}

function recent(all: readonly At[], nowMs: number): readonly At[] {
  return all.filter(({ atMs }) => atMs > nowMs - longestMs)
}
