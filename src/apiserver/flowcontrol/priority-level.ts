import { isDeepStrictEqual } from 'node:util'
import type { UserInfo } from '#api/meta/exchange.ts'
import type { PriorityLevelConfiguration } from '#api/types/flowcontrol.v1.ts'
import type { RequestInfo } from '../request-info.ts'
import { FairQueues, type Waiting } from './fair-queues.ts'

/** Seats that one request holds, by the level they belong to. */
export interface Seats {
  readonly level: PriorityLevel
  readonly own: number
  readonly borrowed: readonly Loan[]
}

interface Loan {
  readonly lender: PriorityLevel
  count: number
}

/** A request that waits for seats. */
export interface WaitingRequest extends Waiting {
  readonly asking: { readonly info: RequestInfo; readonly user: UserInfo }
  readonly schema: string
  readonly distinguisher: string
  readonly arrivedMs: number
  grant(seats: Seats): void
}

/** How many seats a level has by its shares, how many it may lend and borrow. */
export interface LevelLimits {
  readonly nominal: number
  readonly lendable: number
  readonly borrowable: number
}

/**
 * The seats of one priority level. What it does not need itself it lends, up to its lendable share, to levels that have
 * none left; a lent seat comes back when the request on it ends, and then serves its owner first.
 */
export class PriorityLevel {
  readonly name: string
  configuration: PriorityLevelConfiguration
  limits: LevelLimits = { nominal: 0, lendable: 0, borrowable: 0 }
  dispatched = 0
  rejected = 0
  timedOut = 0
  cancelled = 0
  #queues: FairQueues<WaitingRequest> | undefined
  /** Own seats taken by own requests, own seats lent to others, others' seats taken by own requests. */
  #used = 0
  #lent = 0
  #borrowed = 0

  constructor(configuration: PriorityLevelConfiguration) {
    this.name = configuration.metadata.name
    this.configuration = configuration
    this.#queues = queuesFor(configuration)
  }

  get isExempt(): boolean {
    return this.configuration.spec.type === 'Exempt'
  }

  get executing(): number {
    return this.#used + this.#borrowed
  }

  get waiting(): number {
    return this.#queues?.size ?? 0
  }

  /** Who waits, queue by queue. */
  queues(): { readonly index: number; readonly items: readonly WaitingRequest[] }[] {
    return this.#queues?.busy() ?? []
  }

  /** Takes over a changed object. Whoever waits is queued anew where the queues are others; those without a place are answered. */
  configure(configuration: PriorityLevelConfiguration): readonly WaitingRequest[] {
    const before = this.configuration.spec.limited?.limitResponse?.queuing
    this.configuration = configuration
    if (isDeepStrictEqual(before, configuration.spec.limited?.limitResponse?.queuing)) return []
    const homeless = this.#queues?.items() ?? []
    const queues = queuesFor(configuration)
    this.#queues = queues
    return homeless.filter((request) => queues?.push(request) !== true)
  }

  /** Takes seats if nobody waits for them and there are enough, borrowing from `lenders` what is missing. */
  tryTake(width: number, lenders: Iterable<PriorityLevel>): Seats | undefined {
    return this.waiting > 0 ? undefined : this.#take(width, lenders)
  }

  /** False where the level does not queue, or the queue is full. */
  enqueue(request: WaitingRequest): boolean {
    return this.#queues?.push(request) ?? false
  }

  forget(request: WaitingRequest): void {
    this.#queues?.remove(request)
  }

  /** Gives seats to those who wait, as far as they reach. */
  dispatch(lenders: Iterable<PriorityLevel>): void {
    for (let next = this.#queues?.peek(); next !== undefined; next = this.#queues?.peek()) {
      const seats = this.#take(next.width, lenders)
      if (seats === undefined) return
      this.#queues?.shift()
      next.grant(seats)
    }
  }

  /** Gives back what a request held. */
  static release({ level, own, borrowed }: Seats): void {
    level.#used -= own
    for (const { lender, count } of borrowed) {
      level.#borrowed -= count
      lender.#lent -= count
    }
  }

  #take(width: number, lenders: Iterable<PriorityLevel>): Seats | undefined {
    const { nominal, borrowable } = this.limits
    // A level without seats of its own still serves one request at a time; a wide request takes what there is.
    const wanted = Math.min(width, Math.max(nominal, 1))
    const free = Math.max(nominal - this.#used - this.#lent, 0)
    const isIdle = this.executing === 0 && this.#lent === 0
    const own = isIdle ? wanted : Math.min(wanted, free)
    const borrowed = own === wanted ? [] : this.#borrow(wanted - own, borrowable, lenders)
    if (borrowed === undefined) return undefined
    this.#used += own
    for (const loan of borrowed) {
      this.#borrowed += loan.count
      loan.lender.#lent += loan.count
    }
    this.dispatched++
    return { level: this, own, borrowed }
  }

  #borrow(missing: number, borrowable: number, lenders: Iterable<PriorityLevel>): Loan[] | undefined {
    if (this.#borrowed + missing > borrowable) return undefined
    const loans: Loan[] = []
    let left = missing
    for (const lender of lenders) {
      const count = lender === this ? 0 : Math.min(left, lender.#spare())
      if (count > 0) loans.push({ lender, count })
      left -= count
      if (left === 0) return loans
    }
    return undefined
  }

  /** What it may still lend: nothing while somebody waits for it here. */
  #spare(): number {
    if (this.waiting > 0) return 0
    const { nominal, lendable } = this.limits
    return Math.max(Math.min(lendable - this.#lent, nominal - this.#used - this.#lent), 0)
  }
}

function queuesFor({ spec }: PriorityLevelConfiguration): FairQueues<WaitingRequest> | undefined {
  const response = spec.limited?.limitResponse
  return response?.type === 'Queue' ? new FairQueues(response.queuing ?? {}) : undefined
}
