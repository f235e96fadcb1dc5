import type { ChangeEvent } from './store.ts'

const forgotten: readonly ChangeEvent[] = []

/** The events of every remembered commit, by revision: revisions have no gaps, so this is an array with an offset. */
export class ChangeLog {
  #commits: (readonly ChangeEvent[])[] = []
  /** Commits before this position are dropped already; the array is cut only when they are the larger part. */
  #start = 0
  #firstRevision: number

  constructor(firstRevision: number) {
    this.#firstRevision = firstRevision
  }

  get firstRevision(): number {
    return this.#firstRevision
  }

  get lastRevision(): number {
    return this.#firstRevision + this.#commits.length - this.#start - 1
  }

  /** Adds the commit of the next revision. */
  append(events: readonly ChangeEvent[]): void {
    this.#commits.push(events)
  }

  /** The events of one remembered revision. */
  at(revision: number): readonly ChangeEvent[] {
    return this.#commits[this.#start + revision - this.#firstRevision] as readonly ChangeEvent[]
  }

  /** Drops the oldest commit and returns its events. */
  shift(): readonly ChangeEvent[] {
    const events = this.at(this.#firstRevision)
    this.#commits[this.#start++] = forgotten
    this.#firstRevision++
    if (this.#start > 1024 && this.#start > this.#commits.length >>> 1) {
      this.#commits = this.#commits.slice(this.#start)
      this.#start = 0
    }
    return events
  }

  fork(): ChangeLog {
    const copy = new ChangeLog(this.#firstRevision)
    copy.#commits = this.#commits.slice(this.#start)
    return copy
  }
}
