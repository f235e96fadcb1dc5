import type { Status, StatusCause, StatusDetails } from '../types/meta.v1.ts'

/** The reasons Kubernetes gives and the HTTP code of each (API reference, `metav1.StatusReason`). */
export const statusCodes = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
  ServerTimeout: 504,
} as const

export type StatusReason = keyof typeof statusCodes

export interface StatusErrorOptions {
  readonly details?: StatusDetails
  /** HTTP code where it is not the reason's own; `reason` may then be empty (`''`), as upstream does for odd errors. */
  readonly code?: number
  /** A token with which the rest of a list can be had all the same. */
  readonly continue?: string
  readonly cause?: unknown
}

/** Every failure that a client of the API can see. Thrown on both sides: the client rebuilds it from the answer. */
export class StatusError extends Error {
  readonly reason: StatusReason | ''
  readonly code: number
  readonly details: StatusDetails | undefined
  readonly continue: string | undefined

  constructor(reason: StatusReason | '', message: string, options: StatusErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'StatusError'
    this.reason = reason
    this.code = options.code ?? (reason === '' ? 500 : statusCodes[reason])
    this.details = options.details
    this.continue = options.continue
  }

  /** The Status object as it is sent. */
  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.continue === undefined ? {} : { continue: this.continue },
      status: 'Failure',
      message: this.message,
      ...(this.reason === '' ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    }
  }

  static from(status: Status): StatusError {
    const known = status.reason !== undefined && Object.hasOwn(statusCodes, status.reason)
    const options = {
      ...(status.details && { details: status.details }),
      ...(status.metadata?.continue && { continue: status.metadata.continue }),
      code: status.code ?? 500,
    }
    return new StatusError(known ? (status.reason as StatusReason) : '', status.message ?? '', options)
  }
}

/** One thing wrong with an object, at a field path such as `spec.containers[0].name`. */
export interface FieldError {
  readonly type:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueNotFound'
    | 'FieldValueTypeInvalid'
    | 'InternalError'
  readonly field: string
  /** What follows the path in the message: `Required value: must not be empty`. */
  readonly message: string
}

export function isStatusError(error: unknown, ...reasons: readonly StatusReason[]): error is StatusError {
  return error instanceof StatusError && (reasons.length === 0 || reasons.includes(error.reason as StatusReason))
}

interface ObjectName {
  readonly group: string
  /** Plural resource name for NotFound, AlreadyExists, Conflict, Forbidden; the kind for Invalid. */
  readonly resource: string
  readonly name: string
}

function qualified(target: ObjectName): string {
  return target.group === '' ? target.resource : `${target.resource}.${target.group}`
}

function detailsOf(target: ObjectName): StatusDetails {
  return {
    ...(target.name === '' ? {} : { name: target.name }),
    ...(target.group === '' ? {} : { group: target.group }),
    ...(target.resource === '' ? {} : { kind: target.resource }),
  }
}

export function notFound(target: ObjectName): StatusError {
  return new StatusError('NotFound', `${qualified(target)} "${target.name}" not found`, { details: detailsOf(target) })
}

export function alreadyExists(target: ObjectName): StatusError {
  const message = `${qualified(target)} "${target.name}" already exists`
  return new StatusError('AlreadyExists', message, { details: detailsOf(target) })
}

/** A stale `resourceVersion` or a failed precondition; `why` is upstream's sentence. */
export function conflict(target: ObjectName, why: string = staleObject): StatusError {
  const message = `Operation cannot be fulfilled on ${qualified(target)} "${target.name}": ${why}`
  return new StatusError('Conflict', message, { details: detailsOf(target) })
}

const staleObject = 'the object has been modified; please apply your changes to the latest version and try again'

export function badRequest(message: string): StatusError {
  return new StatusError('BadRequest', message)
}

export function forbidden(target: ObjectName, why: string): StatusError {
  const name = target.name === '' ? '' : ` "${target.name}"`
  return new StatusError('Forbidden', `${qualified(target)}${name} is forbidden: ${why}`, {
    details: detailsOf(target),
  })
}

/** 422 with one cause per error. `kind` and `group` are those of the object; errors keep their order. */
export function invalid(
  target: { group: string; kind: string; name: string },
  errors: readonly FieldError[],
): StatusError {
  const lines = [...new Set(errors.map((error) => `${error.field}: ${error.message}`))]
  const list = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`
  const kind = target.group === '' ? target.kind : `${target.kind}.${target.group}`
  const causes: StatusCause[] = errors.map(({ type, message, field }) => ({ reason: type, message, field }))
  const details = { ...detailsOf({ ...target, resource: target.kind }), causes }
  return new StatusError('Invalid', `${kind} "${target.name}" is invalid: ${list}`, { details })
}
