/** What one try of a probe found; `message` says why it failed, in the words of the `Unhealthy` event. */
export interface ProbeOutcome {
  readonly ok: boolean
  readonly message: string
  /** The try itself went wrong, so it says nothing about the container and counts for nothing. */
  readonly isError?: boolean
}

export const probeSuccess: ProbeOutcome = { ok: true, message: '' }

export function probeFailure(message: string): ProbeOutcome {
  return { ok: false, message }
}

/** A success that users should look at: the message becomes a `ProbeWarning` event. */
export function probeWarning(message: string): ProbeOutcome {
  return { ok: true, message }
}

export function probeError(message: string): ProbeOutcome {
  return { ok: false, message, isError: true }
}
