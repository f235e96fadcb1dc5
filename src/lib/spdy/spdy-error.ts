/** The peer broke the protocol, or the connection is gone. The connection cannot be used any more. */
export class SpdyError extends Error {
  override readonly name = 'SpdyError'
}
