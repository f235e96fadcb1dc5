/** What one try of a probe found; `message` says why it failed, in the words of the `Unhealthy` event. */
export interface ProbeOutcome {
  readonly ok: boolean
  readonly message: string
}

export const probeSuccess: ProbeOutcome = { ok: true, message: '' }

export function probeFailure(message: string): ProbeOutcome {
  return { ok: false, message }
}
