import type { UserInfo } from '#api/meta/exchange.ts'
import type { FlowSchema, PriorityLevelConfiguration } from '#api/types/flowcontrol.v1.ts'
import { flowSchemas, priorityLevelConfigurations } from '#api/types/resources.ts'
import type { Clock } from '#lib/clock.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import type { RequestInfo } from '../request-info.ts'
import { flowMatcher, type Flow } from './flow-matcher.ts'
import { divideSeats } from './level-limits.ts'
import { mandatoryLevels, mandatorySchemas } from './mandatory-objects.ts'
import { PriorityLevel, type Seats, type WaitingRequest } from './priority-level.ts'

export interface FlowControlOptions {
  readonly reader: ObjectReader
  readonly clock: Clock
  /** Seats of the whole server; default 600, upstream's 400 reading and 200 writing requests. */
  readonly seats?: number
  /** How long a request may wait; default 15 s, a quarter of upstream's time limit for requests. */
  readonly waitMs?: number
}

/** Leave to go on. */
export interface Admission {
  /** For the answer: which schema and level the request belongs to. */
  readonly headers: Readonly<Record<string, string>>
  /** Gives the seats back; once only. */
  release(): void
}

export interface Asking {
  readonly info: RequestInfo
  readonly user: UserInfo
  /** Seats the request needs: 1, or more for a large list. Asked for only where seats count. */
  readonly width: () => number
  readonly signal: AbortSignal
}

const defaultSeats = 600
const defaultWaitMs = 15_000

/**
 * Priority and fairness (KEP-1040): sorts requests into flows, gives each priority level its share of the server, and
 * lets flows of one level take turns. Follows the FlowSchemas and PriorityLevelConfigurations of the cluster as they are.
 */
export class FlowControl {
  readonly #options: FlowControlOptions
  readonly #levels = new Map<string, PriorityLevel>()
  #schemas: readonly FlowSchema[] | undefined
  #configurations: readonly PriorityLevelConfiguration[] | undefined
  #match = flowMatcher([])
  #waiting = 0

  constructor(options: FlowControlOptions) {
    this.#options = options
  }

  /** At once where there is room; a promise where the request has to wait; undefined for too many requests. */
  admit(asking: Asking): Admission | undefined | Promise<Admission | undefined> {
    this.#follow()
    const flow = this.#match(asking.info, asking.user) ?? unmatched
    const level = this.#levelOf(flow.schema)
    if (level.isExempt) {
      level.dispatched++
      return { headers: headersOf(flow, level), release: nothing }
    }
    const width = asking.width()
    const seats = level.tryTake(width, this.#levels.values())
    if (seats !== undefined) return this.#admission(seats, flow)
    return this.#wait(asking, flow, level, width)
  }

  /** The priority levels as they are now. */
  levels(): readonly PriorityLevel[] {
    this.#follow()
    return [...this.#levels.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Lines of the Prometheus text format. */
  lines(): string[] {
    const levels = [...this.#levels.values()]
    const lines = (name: string, type: string, valueOf: (level: PriorityLevel) => number): string[] => [
      `# TYPE apiserver_flowcontrol_${name} ${type}`,
      ...levels.map((level) => `apiserver_flowcontrol_${name}{priority_level="${level.name}"} ${valueOf(level)}`),
    ]
    return [
      ...lines('nominal_limit_seats', 'gauge', ({ limits }) => limits.nominal),
      ...lines('current_executing_seats', 'gauge', ({ executing }) => executing),
      ...lines('current_inqueue_requests', 'gauge', ({ waiting }) => waiting),
      ...lines('dispatched_requests_total', 'counter', ({ dispatched }) => dispatched),
      ...lines('rejected_requests_total', 'counter', ({ rejected }) => rejected),
    ]
  }

  #admission(seats: Seats, flow: Flow): Admission {
    return { headers: headersOf(flow, seats.level), release: () => this.#release(seats) }
  }

  #wait(asking: Asking, flow: Flow, level: PriorityLevel, width: number): undefined | Promise<Admission | undefined> {
    const { signal } = asking
    const { promise, resolve } = Promise.withResolvers<Admission | undefined>()
    const end = (answer: Admission | undefined): void => {
      timer.cancel()
      signal.removeEventListener('abort', giveUp)
      this.#waiting--
      if (answer === undefined) level.rejected++
      resolve(answer)
    }
    const request: WaitingRequest = {
      width,
      flow: `${flow.schema.metadata.name}\0${flow.distinguisher}`,
      asking,
      schema: flow.schema.metadata.name,
      distinguisher: flow.distinguisher,
      arrivedMs: this.#options.clock.now(),
      grant: (seats) => end(this.#admission(seats, flow)),
    }
    const giveUp = (): void => {
      if (signal.aborted) level.cancelled++
      else level.timedOut++
      level.forget(request)
      end(undefined)
    }
    if (signal.aborted || !level.enqueue(request)) {
      level.rejected++
      return undefined
    }
    this.#waiting++
    const timer = this.#options.clock.schedule(this.#options.waitMs ?? defaultWaitMs, giveUp)
    signal.addEventListener('abort', giveUp, { once: true })
    return promise
  }

  /** Seats go to those who wait in the level they belong to, then to whoever may borrow them. */
  #release(seats: Seats): void {
    PriorityLevel.release(seats)
    if (this.#waiting === 0) return
    for (const { lender } of seats.borrowed) lender.dispatch(this.#levels.values())
    seats.level.dispatch(this.#levels.values())
    for (const level of this.#levels.values()) if (level.waiting > 0) level.dispatch(this.#levels.values())
  }

  #levelOf({ spec }: FlowSchema): PriorityLevel {
    const level = this.#levels.get(spec.priorityLevelConfiguration.name) ?? this.#levels.get('catch-all')
    if (level === undefined) throw new Error('the mandatory priority levels are gone')
    return level
  }

  /** Takes over the objects if they have changed since the last request. */
  #follow(): void {
    const { reader } = this.#options
    const schemas = reader.list(flowSchemas)
    const configurations = reader.list(priorityLevelConfigurations)
    if (schemas === this.#schemas && configurations === this.#configurations) return
    this.#schemas = schemas
    this.#configurations = configurations
    this.#match = flowMatcher(withMandatory(schemas, mandatorySchemas))
    this.#configure(withMandatory(configurations, mandatoryLevels))
  }

  #configure(configurations: readonly PriorityLevelConfiguration[]): void {
    const limits = divideSeats(configurations, this.#options.seats ?? defaultSeats)
    for (const [index, configuration] of configurations.entries()) {
      const { name } = configuration.metadata
      const level = this.#levels.get(name) ?? new PriorityLevel(configuration)
      this.#levels.set(name, level)
      level.limits = limits[index] ?? level.limits
      for (const request of level.configure(configuration)) this.#evict(level, request)
    }
    this.#drop(new Set(configurations.map(({ metadata }) => metadata.name)))
  }

  /** A level that is deleted serves who waits for it and takes nobody new: its schemas fall to the catch-all level. */
  #drop(names: ReadonlySet<string>): void {
    for (const [name, level] of this.#levels) {
      if (names.has(name)) continue
      level.limits = { nominal: level.executing + level.waiting, lendable: 0, borrowable: 0 }
      level.dispatch([])
      this.#levels.delete(name)
    }
  }

  /** Whoever has lost the place in a queue goes on at once: the change was not the client's doing. */
  #evict(level: PriorityLevel, request: WaitingRequest): void {
    request.grant({ level, own: 0, borrowed: [] })
  }
}

const unmatched: Flow = { schema: mandatorySchemas[1] as FlowSchema, distinguisher: '' }

function nothing(): void {
  // Exempt requests hold no seats.
}

function withMandatory<T extends FlowSchema | PriorityLevelConfiguration>(
  stored: readonly T[],
  mandatory: readonly T[],
): readonly T[] {
  const names = new Set(stored.map(({ metadata }) => metadata.name))
  return [...stored, ...mandatory.filter(({ metadata }) => !names.has(metadata.name))]
}

function headersOf({ schema }: Flow, level: PriorityLevel): Record<string, string> {
  return {
    'x-kubernetes-pf-flowschema-uid': schema.metadata.uid,
    'x-kubernetes-pf-prioritylevel-uid': level.configuration.metadata.uid,
  }
}
