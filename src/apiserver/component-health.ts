/** How a part of the control plane fares. */
export interface ComponentHealth {
  readonly name: string
  /** Why it does not do its work; absent: it does. */
  readonly problem?: string
}
