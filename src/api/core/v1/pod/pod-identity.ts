/** The pod a spec belongs to; specs of templates belong to none yet. */
export interface PodIdentity {
  readonly name: string
  readonly annotations: Readonly<Record<string, string>>
}
