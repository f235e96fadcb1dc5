import { isStatusError } from '#api/meta/status.ts'
import type { Event } from '#api/types/core.v1.ts'
import { events } from '#api/types/resources.ts'
import { backoffMs } from '#lib/backoff.ts'
import { BoundedQueue } from '#lib/bounded-queue.ts'
import { formatTime, type Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { Pace, type PaceSettings } from '#lib/pace.ts'
import type { Client } from './client.ts'
import { EventCorrelation, type Occurrence, type Series } from './event-correlation.ts'
import type { EventRecorder } from './events.ts'

export interface EventRecorderOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  /** `source.component` and `reportingComponent`. */
  readonly component: string
  /** `source.host` and `reportingInstance`: a node's name, for components that belong to one. */
  readonly host?: string
  /** How many events are written; default 200 in a second, and 100 at once. */
  readonly pace?: PaceSettings
}

export interface StoppableEventRecorder extends EventRecorder {
  /** Takes no more events and resolves when those taken are written or given up. */
  stop(): Promise<void>
}

/** Events waiting to be written; what comes beyond is lost and logged. */
const maxPending = 5_000
const maxTries = 5
/** Telling must not hold up doing: after a burst of events, so many are written in a second. */
const usualPace: PaceSettings = { burst: 100, perSecond: 200 }

/** Makes the recorder of a process; `from` gives views of it that share its queue and its memory of repeats. */
export function createEventRecorder(options: EventRecorderOptions): StoppableEventRecorder {
  const { clock, log } = options
  const whenFull = (lost: Occurrence): void => log.debug('An event was lost', { reason: lost.reason })
  const pending = new BoundedQueue<Occurrence>(maxPending, { whenFull })
  const stopping = new AbortController()
  const written = writeAll(pending, new EventCorrelation(), options, stopping.signal)
  const recorderOf = (component: string): EventRecorder => ({
    record(about, type, reason, message, { fieldPath = '' } = {}) {
      pending.push({ about, component, type, reason, message, fieldPath, atMs: clock.now() })
    },
    from: recorderOf,
  })
  const stop = (): Promise<void> => {
    pending.close()
    stopping.abort()
    return written
  }
  return { ...recorderOf(options.component), stop }
}

async function writeAll(
  pending: AsyncIterable<Occurrence>,
  correlation: EventCorrelation,
  options: EventRecorderOptions,
  stopping: AbortSignal,
): Promise<void> {
  const pace = new Pace(options.clock, options.pace ?? usualPace)
  for await (const occurrence of pending) {
    const series = correlation.correlate(occurrence)
    if (series === undefined) continue
    await pace.turn(stopping)
    await writeWithRetries(occurrence, series, options)
  }
}

async function writeWithRetries(occurrence: Occurrence, series: Series, options: EventRecorderOptions): Promise<void> {
  for (let failures = 1; failures <= maxTries; failures++) {
    try {
      return await write(occurrence, series, options)
    } catch (error) {
      // The server's refusal is final: a namespace that is going away, an object that is invalid.
      if (isStatusError(error) && error.code < 500 && error.code !== 429) {
        return options.log.debug('An event was refused', { reason: occurrence.reason, error: error.message })
      }
      if (failures < maxTries) await options.clock.sleep(backoffMs({ initialMs: 100, maxMs: 10_000 }, failures))
      else options.log.info('An event could not be written', { reason: occurrence.reason, error: String(error) })
    }
  }
}

async function write(occurrence: Occurrence, series: Series, options: EventRecorderOptions): Promise<void> {
  const collection = options.client.resource(events, namespaceFor(occurrence))
  if (series.name !== undefined) {
    const { count, message } = series
    const patch = { count, message, lastTimestamp: formatTime(occurrence.atMs) }
    try {
      await collection.patch(series.name, { type: 'merge', patch })
      return
    } catch (error) {
      // Events expire: what was counted on is gone, so say it anew.
      if (!isStatusError(error, 'NotFound')) throw error
      Object.assign(series, { name: undefined, count: 1, firstMs: occurrence.atMs })
    }
  }
  const event = eventFor(occurrence, series, options.host)
  await collection.create(event)
  series.name = event.metadata.name
}

/** Events about cluster-scoped objects live in `default`. */
function namespaceFor({ about }: Occurrence): string {
  return about.metadata.namespace || 'default'
}

function eventFor(
  occurrence: Occurrence,
  series: Series,
  host: string | undefined,
): Omit<Event, 'apiVersion' | 'kind'> {
  const { about, component, type, reason, fieldPath, atMs } = occurrence
  const { name, namespace, uid, resourceVersion } = about.metadata
  return {
    metadata: { name: eventName(name, atMs, series), namespace: namespaceFor(occurrence) } as Event['metadata'],
    involvedObject: {
      kind: about.kind,
      apiVersion: about.apiVersion,
      name,
      uid,
      ...(namespace ? { namespace } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
      ...(fieldPath === '' ? {} : { fieldPath }),
    },
    reason,
    message: series.message,
    source: { component, ...(host === undefined ? {} : { host }) },
    firstTimestamp: formatTime(series.firstMs),
    lastTimestamp: formatTime(atMs),
    count: series.count,
    type,
    reportingComponent: component,
    reportingInstance: host ?? '',
  }
}

/** `web.18d2c4f1a2b3c4d5`: the object's name and a time in hexadecimal nanoseconds, made distinct by what is said. */
function eventName(name: string, atMs: number, series: Series): string {
  let mixed = 0
  for (let at = 0; at < series.message.length; at++)
    mixed = (Math.imul(mixed, 31) + series.message.charCodeAt(at)) >>> 0
  return `${name}.${(BigInt(atMs) * 1_000_000n + BigInt(mixed % 1_000_000)).toString(16)}`
}
