/** An expression that cannot be read; the message shows where. */
export class CelCompileError extends Error {
  constructor(text: string, offset: number, why: string) {
    super(compileMessage(text, offset, why))
    this.name = 'CelCompileError'
  }
}

/** What is wrong at a place of an expression, with the line and a mark below it. */
export function compileMessage(text: string, offset: number, why: string): string {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  const column = Array.from(before.slice(before.lastIndexOf('\n') + 1)).length
  const shown = text.split('\n')[line - 1] ?? ''
  return `ERROR: <input>:${line}:${column + 1}: ${why}\n | ${shown}\n | ${'.'.repeat(column)}^`
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
