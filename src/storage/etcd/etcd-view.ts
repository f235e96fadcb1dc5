import { CompactedError, FutureRevisionError } from '../store.ts'

/** What this process knows of etcd's revisions. It may be behind; it never goes back. */
export class EtcdView {
  #revision = 1
  #compactedRevision = 1

  /** The newest revision heard of. */
  get revision(): number {
    return this.#revision
  }

  /** The oldest revision that may still be readable. */
  get compactedRevision(): number {
    return this.#compactedRevision
  }

  /** Takes note of a revision that an answer carried, and returns it. */
  saw(revision: bigint | number | undefined): number {
    const seen = Number(revision ?? 0)
    this.#revision = Math.max(this.#revision, seen)
    return seen
  }

  sawCompacted(revision: bigint | number): void {
    this.#compactedRevision = Math.max(this.#compactedRevision, Number(revision))
    this.saw(revision)
  }

  /** What an attempt to read at a revision that etcd has forgotten fails with. */
  compacted(revision: number): CompactedError {
    this.sawCompacted(revision + 1)
    return new CompactedError(revision, this.#compactedRevision)
  }

  future(revision: number): FutureRevisionError {
    return new FutureRevisionError(revision, this.#revision)
  }
}
