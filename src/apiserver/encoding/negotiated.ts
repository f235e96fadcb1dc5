/** In which form the client wants the answer. */
export interface Negotiated {
  readonly mediaType: 'application/json' | 'application/yaml' | 'application/vnd.kubernetes.protobuf'
  /** Whether objects are sent as such, as rows of a table, or as their metadata alone. */
  readonly as: 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'
  /** Version of `meta.k8s.io` for the two latter. */
  readonly metaVersion: 'v1' | 'v1beta1'
}

/** The plain form: what in-process callers get, and errors before negotiation. */
export const plainJson: Negotiated = {
  mediaType: 'application/json',
  as: 'object',
  metaVersion: 'v1',
}
