import type { Duplex } from 'node:stream'
import type { IncomingMessage } from 'node:http'
import type { ApiRequest, UserInfo } from '#api/meta/exchange.ts'
import type { RequestInfo } from './request-info.ts'

/** Who wants to upgrade a connection to what, after the pipeline has let it pass. */
export interface AdmittedUpgrade {
  readonly info: RequestInfo
  readonly user: UserInfo
}

export type AdmitUpgrade = (request: ApiRequest) => Promise<AdmittedUpgrade>

/** A request to leave HTTP: exec, attach, port-forward and proxied WebSockets. */
export interface UpgradeRequest extends AdmittedUpgrade {
  readonly request: ApiRequest
  /** The request as the socket sent it, for the protocol's own handshake. */
  readonly incoming: IncomingMessage
  readonly socket: Duplex
  /** Bytes that came right behind the request. */
  readonly head: Buffer
}

/** Takes over the socket of an admitted upgrade. A rejection with a `StatusError` is answered as HTTP; others become 500. */
export type UpgradeHandler = (upgrade: UpgradeRequest) => Promise<void>
