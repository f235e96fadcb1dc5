/** What a node does when the machine that it is on goes down. */
export interface MachineEndSubject {
  /** How long ending all pods takes at most. */
  readonly neededMs: number
  /** The machine goes down as soon as this has resolved. */
  begin(): Promise<void>
  /** The machine stays after all. */
  cancel(): void
}

/** The machine's word that it goes down. */
export interface MachineEnd {
  /** Tells the subject until the signal aborts. Resolves earlier where the machine has nobody who would say so. */
  follow(subject: MachineEndSubject, signal: AbortSignal): Promise<void>
}
