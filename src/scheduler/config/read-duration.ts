import { parseDuration } from '#lib/cel/time-text.ts'

/** Milliseconds of a duration as Go writes it (`1m30s`); nothing for a text that is none. */
export function readDuration(text: string): number | undefined {
  try {
    return Number(parseDuration(text).nanos) / 1_000_000
  } catch {
    return undefined
  }
}
