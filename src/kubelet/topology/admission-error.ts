/** Why the node cannot give a pod what it asks for: the reason and message of its status, in upstream's words. */
export class AdmissionError extends Error {
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

/** What was asked for cannot be had, although the scheduler (or whoever named the node) thought so. */
export function allocationFailure(message: string): AdmissionError {
  return new AdmissionError('UnexpectedAdmissionError', `Allocate failed due to ${message}, which is unexpected`)
}
