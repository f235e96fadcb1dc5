import type { ServiceError } from '@grpc/grpc-js'

export type EtcdFailure =
  | 'compacted'
  | 'future'
  | 'unavailable'
  | 'no-leader'
  | 'message-too-large'
  | 'request-too-large'
  | 'no-space'
  | 'refused'
  | 'failed'

/** An error that etcd, or the way to it, answered a call with. */
export class EtcdError extends Error {
  readonly reason: EtcdFailure
  constructor(reason: EtcdFailure, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'EtcdError'
    this.reason = reason
  }

  /** Whether another member, or the same one later, may answer. */
  get isPassing(): boolean {
    return this.reason === 'unavailable' || this.reason === 'no-leader'
  }
}

/** What etcd says about itself (https://etcd.io/docs/v3.5/dev-guide/api_reference_v3/); what it says first counts. */
const byText: readonly (readonly [text: string, reason: EtcdFailure])[] = [
  ['required revision has been compacted', 'compacted'],
  ['required revision is a future revision', 'future'],
  ['etcdserver: no leader', 'no-leader'],
  ['etcdserver: too many requests', 'no-leader'],
  ['request is too large', 'request-too-large'],
  ['database space exceeded', 'no-space'],
  ['Received message larger than max', 'message-too-large'],
]

/** gRPC status codes (https://grpc.io/docs/guides/status-codes/) that mean that the way to the server failed, or its time. */
const passingCodes: ReadonlySet<number> = new Set([1, 4, 13, 14])
/** PERMISSION_DENIED and UNAUTHENTICATED. */
const refusedCodes: ReadonlySet<number> = new Set([7, 16])

/** Reads what a call failed with. Messages of etcd never repeat keys or values. */
export function etcdErrorOf({ code, details, message }: Pick<ServiceError, 'code' | 'details' | 'message'>): EtcdError {
  const text = details || message
  const known = byText.find(([part]) => text.includes(part))?.[1]
  const byCode = passingCodes.has(code) ? 'unavailable' : refusedCodes.has(code) ? 'refused' : 'failed'
  return new EtcdError(known ?? byCode, text)
}
