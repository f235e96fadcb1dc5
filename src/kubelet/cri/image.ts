/** An image that the runtime holds. */
export interface ImageInfo {
  /** The image's own id, `sha256:…`. */
  readonly id: string
  readonly repoTags: readonly string[]
  readonly repoDigests: readonly string[]
  readonly sizeBytes: number
  /** The user the image asks for: a number, or a name, or neither. */
  readonly uid?: number
  readonly username: string
  readonly pinned: boolean
}

/** Credentials of one registry for one pull. */
export interface AuthConfig {
  readonly username?: string
  readonly password?: string
  readonly auth?: string
  readonly identityToken?: string
  readonly registryToken?: string
}
