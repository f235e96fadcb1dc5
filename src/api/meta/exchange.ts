/**
 * One request to the API server and its answer, free of sockets and encodings. The HTTPS listener builds an
 * `ApiRequest` from a socket and writes the `ApiResponse` to it; the in-process transport passes both by reference.
 */
export interface ApiRequest {
  readonly method: string
  /** Path without query, still percent-encoded. */
  readonly path: string
  readonly query: URLSearchParams
  /** The query as it was received, for whom it is passed on to; absent in-process. */
  readonly queryText?: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Decoded JSON shape (in-process) or the bytes as received; the content type stands in the headers. */
  readonly body?: unknown
  /** Who asks, where the transport has already settled it (client certificate, in-process identity). */
  readonly user?: UserInfo
  /** Aborted when the client goes away or gives up. */
  readonly signal: AbortSignal
  /** The peer's address, for audit; absent in-process. */
  readonly remoteAddress?: string
}

export interface UserInfo {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export interface ApiResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: ApiBody
}

export type ApiBody =
  | { readonly type: 'none' }
  /** A frozen object (a kind, a List, a Status, a Table…), to be encoded as negotiated. */
  | { readonly type: 'object'; readonly object: object }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  /** Raw bytes that arrive over time: logs. */
  | { readonly type: 'stream'; readonly chunks: AsyncIterable<Uint8Array> }
  /** A watch. Iteration ends when the server ends the watch; aborting the request's signal ends it too. */
  | { readonly type: 'watch'; readonly events: AsyncIterable<WireWatchEvent> }

/** A watch event as it crosses the wire. The object of `ERROR` is a Status, that of `BOOKMARK` carries only metadata. */
export interface WireWatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: object
}

/** What answers `ApiRequest`s: the API server's pipeline, or a transport that reaches one. Never rejects for a client's mistake. */
export type ApiHandler = (request: ApiRequest) => Promise<ApiResponse>
