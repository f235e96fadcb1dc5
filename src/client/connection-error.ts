/**
 * The request never got a whole answer: refused, reset, timed out, or cut in the middle. Whether it took effect is
 * not known. Informers and controllers try again.
 */
export class ConnectionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ConnectionError'
  }
}
