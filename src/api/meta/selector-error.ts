/** A selector that cannot be read; its message is what the API server answers with 400. */
export class SelectorError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SelectorError'
  }
}
