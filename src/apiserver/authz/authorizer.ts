import type { AuthorizationAttributes } from '../request-info.ts'

/** Asked in order; the first that does not say `noOpinion` decides; nobody's opinion is a denial. */
export interface Authorizer {
  readonly name: string
  authorize(attributes: AuthorizationAttributes): Decision
}

export interface Decision {
  readonly decision: 'allow' | 'deny' | 'noOpinion'
  /** Why, in upstream's words where it has some; part of the Forbidden message. */
  readonly reason: string
}
