import type { HTTPGetAction } from '#api/types/core.v1.ts'
import { httpGet, HttpGetError, type HttpAnswer } from './http-get.ts'
import { probeError, probeFailure, probeSuccess, probeWarning, type ProbeOutcome } from './probe-outcome.ts'

export interface HttpProbeTarget {
  readonly podIp: string
  readonly port: number
  readonly timeoutMs: number
}

/** Success is a status from 200 to 399; an answer that does not come to its end says nothing. */
export async function httpProbe(
  action: HTTPGetAction,
  { podIp, port, timeoutMs }: HttpProbeTarget,
): Promise<ProbeOutcome> {
  try {
    const signal = AbortSignal.timeout(timeoutMs)
    return outcomeOf(await httpGet(action, { podIp, port, agent: 'probe', signal }))
  } catch (error) {
    const { message } = error as Error
    return error instanceof HttpGetError && error.isBodyError ? probeError(message) : probeFailure(message)
  }
}

/** The body never becomes part of a failure's message: it may be a secret. */
function outcomeOf({ statusCode, body, isRedirect }: HttpAnswer): ProbeOutcome {
  if (statusCode < 200 || statusCode >= 400) return probeFailure(`HTTP probe failed with statuscode: ${statusCode}`)
  return isRedirect ? probeWarning(`Probe terminated redirects, Response body: ${body}`) : probeSuccess
}
