import type { PreparedDevice } from './dra-driver.ts'

/** A claim that drivers have made ready on this node, and the pods that use it. */
export interface PreparedClaim {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly podUids: readonly string[]
  /** By driver; a driver is listed before it is asked, so that none is forgotten after a crash. */
  readonly drivers: Readonly<Record<string, readonly PreparedDevice[]>>
}

/** The claims of the node's pods. Kept on disk: drivers must be told when the last pod is gone. */
export class ClaimLedger {
  readonly #claims: Map<string, PreparedClaim>

  private constructor(claims: readonly PreparedClaim[]) {
    this.#claims = new Map(claims.map((claim) => [claim.uid, claim]))
  }

  static empty(): ClaimLedger {
    return new ClaimLedger([])
  }

  /** Reads what `toText` wrote. Throws for any other text. */
  static parse(text: string): ClaimLedger {
    return new ClaimLedger((JSON.parse(text) as { readonly claims: readonly PreparedClaim[] }).claims)
  }

  toText(): string {
    return `${JSON.stringify({ claims: [...this.#claims.values()] })}\n`
  }

  get(uid: string): PreparedClaim | undefined {
    return this.#claims.get(uid)
  }

  put(claim: PreparedClaim): void {
    this.#claims.set(claim.uid, claim)
  }

  remove(uid: string): void {
    this.#claims.delete(uid)
  }

  ofPod(podUid: string): readonly PreparedClaim[] {
    return [...this.#claims.values()].filter(({ podUids }) => podUids.includes(podUid))
  }

  podUids(): ReadonlySet<string> {
    return new Set([...this.#claims.values()].flatMap(({ podUids }) => podUids))
  }
}
