import { Heap } from './heap.ts'

/**
 * The one door through which time enters. Rooms take a `Clock`; only `systemClock` touches the machine's timers.
 * All times are milliseconds since the Unix epoch, all durations milliseconds.
 */
export interface Clock {
  /** Wall-clock time. May jump; never use a difference of two `now()` as a duration where `monotonic()` serves. */
  now(): number
  /** Milliseconds from an arbitrary start, never going back. */
  monotonic(): number
  /** Calls `callback` once after `delayMs`. The timer does not keep the process alive. `cancel` is idempotent. */
  schedule(delayMs: number, callback: () => void): Timer
  /** Resolves after `delayMs`; rejects with the signal's reason when aborted first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

export interface Timer {
  cancel(): void
}

/** RFC 3339 with seconds, as `metav1.Time` is written. */
export function formatTime(epochMs: number): string {
  return `${secondsText(epochMs)}Z`
}

/** RFC 3339 with six fractional digits, as `metav1.MicroTime` is written. */
export function formatMicroTime(epochMs: number): string {
  const milliseconds = String(modulo(Math.floor(epochMs), 1_000)).padStart(3, '0')
  return `${secondsText(epochMs)}.${milliseconds}000Z`
}

const dayMs = 86_400_000
const twoDigits = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'))

/** Every write is stamped several times: worked out by hand, which costs a tenth of what a `Date` does. */
function secondsText(epochMs: number): string {
  const days = Math.floor(epochMs / dayMs)
  if (days < firstDay || days > lastDay) return new Date(epochMs).toISOString().slice(0, 19)
  const seconds = Math.floor((epochMs - days * dayMs) / 1_000)
  const minutes = Math.floor(seconds / 60)
  const time = `${twoDigits[Math.floor(minutes / 60)]}:${twoDigits[minutes % 60]}:${twoDigits[seconds % 60]}`
  return `${dateText(days)}T${time}`
}

/** 1970-01-01 and 9999-12-31, in days since the former: what lies beyond is left to `Date`. */
const firstDay = 0
const lastDay = 2_932_896

/** Years that begin in March have their leap day last, and months of 153 days in fives (the civil calendar by days). */
function dateText(days: number): string {
  const sinceMarch = days + 719_468
  const era = Math.floor(sinceMarch / 146_097)
  const dayOfEra = sinceMarch - era * 146_097
  const leapDays = Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return `${year}-${twoDigits[month]}-${twoDigits[day]}`
}

function modulo(value: number, by: number): number {
  return value - Math.floor(value / by) * by
}

function sleepOn(clock: Pick<Clock, 'schedule'>, delayMs: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  if (signal?.aborted) return Promise.reject(signal.reason as Error)
  const timer = clock.schedule(delayMs, () => {
    signal?.removeEventListener('abort', onAbort)
    resolve()
  })
  const onAbort = (): void => {
    timer.cancel()
    reject(signal?.reason as Error)
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  return promise
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, callback) {
    const handle = setTimeout(callback, Math.min(Math.max(delayMs, 0), 0x7fffffff)).unref()
    return { cancel: () => clearTimeout(handle) }
  },
  sleep: (delayMs, signal) => sleepOn(systemClock, delayMs, signal),
}

/** Keeps the process alive until disposed: the clock's own timers do not, and a command under way must. */
export function keepAlive(): Disposable {
  const handle = setInterval(() => undefined, 0x7fffffff)
  return { [Symbol.dispose]: () => clearInterval(handle) }
}

/** A clock that stands still until `advance` is called: for tests and simulation. */
export interface ManualClock extends Clock {
  /**
   * Moves time forward, running due timers in order of their time, and lets promises settle between them. Rejects when
   * something sets timers for now without end.
   */
  advance(durationMs: number): Promise<void>
}

/** Timers that may fire at one time before `advance` gives up. */
const mostTimersAtOnce = 20_000

interface PendingTimer {
  readonly dueMs: number
  readonly sequence: number
  readonly callback: () => void
  isCancelled: boolean
}

/** Makes a `ManualClock` that starts at `startMs` (default: 2026-01-01T00:00:00Z). */
export function manualClock(startMs: number = 1_767_225_600_000): ManualClock {
  let nowMs = startMs
  let sequence = 0
  const pending = new Heap<PendingTimer>((a, b) => (a.dueMs === b.dueMs ? a.sequence < b.sequence : a.dueMs < b.dueMs))
  const takeDue = (untilMs: number): PendingTimer | undefined => {
    for (let next = pending.peek(); next && (next.isCancelled || next.dueMs <= untilMs); next = pending.peek()) {
      pending.pop()
      if (!next.isCancelled) return next
    }
    return undefined
  }
  const clock: ManualClock = {
    now: () => nowMs,
    monotonic: () => nowMs - startMs,
    schedule(delayMs, callback) {
      const dueMs = nowMs + Math.max(delayMs, 0)
      const timer = { dueMs, sequence: sequence++, callback, isCancelled: false }
      pending.push(timer)
      return {
        cancel: () => {
          timer.isCancelled = true
        },
      }
    },
    sleep: (delayMs, signal) => sleepOn(clock, delayMs, signal),
    async advance(durationMs) {
      const untilMs = nowMs + durationMs
      await settle()
      let atOnce = 0
      for (let timer = takeDue(untilMs); timer; timer = takeDue(untilMs)) {
        atOnce = timer.dueMs === nowMs ? atOnce + 1 : 0
        if (atOnce > mostTimersAtOnce) throw new Error('Time stands still: timers keep setting timers for now')
        nowMs = timer.dueMs
        timer.callback()
        await settle()
      }
      nowMs = untilMs
    },
  }
  return clock
}

/** Lets everything that is runnable now run: several turns of the event loop, no time. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}
