import type { KubernetesObject } from '#api/meta/resource.ts'
import { LruMap } from '#lib/lru-map.ts'

/** What somebody wants to say about an object, before repeats are told apart. */
export interface Occurrence {
  readonly about: KubernetesObject
  readonly component: string
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  readonly fieldPath: string
  readonly atMs: number
}

/** What has been written about one repeated occurrence. */
export interface Series {
  /** Name of the Event object, once created. */
  name: string | undefined
  count: number
  firstMs: number
  message: string
}

/** Distinct messages of one reason about one object before they are counted as one event. */
const maxSimilar = 10
/** After so long without a repeat the next one is a new event. */
const similarWindowMs = 600_000
/** Tokens of the bucket that every (component, object) has: a burst, then one event each five minutes. */
const burst = 25
const refillMs = 300_000
/** Entries of each memory; the least recently used are forgotten, which costs one Event object more. */
const memory = 4_096

interface Bucket {
  tokens: number
  filledMs: number
}

interface Similar {
  messages: Set<string>
  lastMs: number
}

/**
 * Decides what becomes of an occurrence: dropped as spam, counted on an existing Event, or a new Event. The limits are
 * those kubectl users know from upstream's recorder.
 */
export class EventCorrelation {
  readonly #buckets = new LruMap<string, Bucket>(memory)
  readonly #similar = new LruMap<string, Similar>(memory)
  readonly #series = new LruMap<string, Series>(memory)

  /** The series to write, its count and message already advanced, or undefined for spam. */
  correlate(occurrence: Occurrence): Series | undefined {
    const { about, component, type, reason, fieldPath, atMs } = occurrence
    const subject = [component, about.kind, about.metadata.namespace, about.metadata.name, about.metadata.uid].join(
      '\n',
    )
    const kind = [subject, fieldPath, type, reason].join('\n')
    const combined = this.#isOneOfMany(kind, occurrence)
    const message = combined ? `(combined from similar events): ${occurrence.message}` : occurrence.message
    const series = this.#advance(combined ? kind : `${kind}\n${message}`, message, atMs)
    return this.#takeToken(subject, atMs) ? series : undefined
  }

  #isOneOfMany(kind: string, { message, atMs }: Occurrence): boolean {
    const known = this.#similar.get(kind)
    if (known === undefined || atMs - known.lastMs > similarWindowMs) {
      this.#similar.set(kind, { messages: new Set([message]), lastMs: atMs })
      return false
    }
    known.lastMs = atMs
    if (known.messages.size < maxSimilar) known.messages.add(message)
    else if (!known.messages.has(message)) return true
    return false
  }

  #advance(key: string, message: string, atMs: number): Series {
    const known = this.#series.get(key)
    if (known !== undefined) {
      known.count++
      known.message = message
      return known
    }
    const series: Series = { name: undefined, count: 1, firstMs: atMs, message }
    this.#series.set(key, series)
    return series
  }

  #takeToken(subject: string, atMs: number): boolean {
    const bucket = this.#buckets.get(subject) ?? { tokens: burst, filledMs: atMs }
    bucket.tokens = Math.min(burst, bucket.tokens + (atMs - bucket.filledMs) / refillMs)
    bucket.filledMs = atMs
    this.#buckets.set(subject, bucket)
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }
}
