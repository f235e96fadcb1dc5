/** Users and groups of the node that are one pod's own: what it sees as 0 and up are the ids from `firstId` on. */
export interface IdRange {
  readonly firstId: number
  readonly length: number
}
