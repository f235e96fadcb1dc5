/** An expression that cannot be read or checked; the message shows where. */
export class CelCompileError extends Error {
  constructor(text: string, offset: number, why: string) {
    const before = text.slice(0, offset)
    const line = before.split('\n').length
    const column = offset - (before.lastIndexOf('\n') + 1)
    const shown = text.split('\n')[line - 1] ?? ''
    super(`ERROR: <input>:${line}:${column + 1}: ${why}\n | ${shown}\n | ${'.'.repeat(column)}^`)
    this.name = 'CelCompileError'
  }
}

/** An expression that fails for the values at hand: a missing key, an overload that does not exist, a limit. */
export class CelError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'CelError'
  }
}

/** The evaluation took more than it may; nothing absorbs it. */
export class CelCostError extends CelError {
  constructor() {
    super('operation cancelled: actual cost limit exceeded')
    this.name = 'CelCostError'
  }
}
