import type { ApiRequest, UserInfo } from '#api/meta/exchange.ts'

/**
 * Tells who sends a request. `undefined` means "not my kind of credential"; a credential that is of its kind but bad
 * is a `StatusError('Unauthorized')`. The pipeline asks in order and falls back to `system:anonymous`.
 */
export interface Authenticator {
  readonly name: string
  authenticate(request: ApiRequest): Promise<UserInfo | undefined> | UserInfo | undefined
}
