/** A function body found in blanked code. Lines count from 1; `lines` includes the first and the last. */
export interface FunctionSpan {
  readonly name: string
  readonly line: number
  readonly lines: number
  /** `lines` without those of functions nested in it. */
  readonly ownLines: number
}

interface OpenBrace {
  readonly name: string | undefined
  readonly line: number
  nestedLines: number
}

const statements = new Set(['if', 'for', 'while', 'switch', 'catch', 'with', 'await', 'case'])

/**
 * Finds function bodies by matching braces in code whose strings and comments are blank. A brace opens a body when it
 * follows `=>`, or the closing parenthesis of parameters with or without a return type.
 */
export function findFunctions(code: string): FunctionSpan[] {
  const spans: FunctionSpan[] = []
  const open: OpenBrace[] = []
  const parentheses: number[] = []
  // By depth of braces: where the latest parenthesised text stands.
  const closed: ([start: number, end: number] | undefined)[] = []
  let line = 1
  for (const { 0: sign, index } of code.matchAll(/[\n(){}]/g)) {
    if (sign === '\n') line++
    else if (sign === '(') parentheses.push(index)
    else if (sign === ')') closed[open.length] = [parentheses.pop() ?? 0, index]
    else if (sign === '{') open.push({ name: bodyName(code, index, closed[open.length]), line, nestedLines: 0 })
    else close(open, line, spans)
  }
  return spans
}

function close(open: OpenBrace[], line: number, spans: FunctionSpan[]): void {
  const body = open.pop()
  if (!body) return
  const lines = line - body.line + 1
  const parent = open.at(-1)
  if (parent) parent.nestedLines += body.name === undefined ? body.nestedLines : lines
  if (body.name === undefined) return
  spans.push({ name: body.name, line: body.line, lines, ownLines: lines - body.nestedLines })
}

/** The name of the function whose body opens at `brace`; nothing when the brace opens something else. */
function bodyName(code: string, brace: number, parameters: [number, number] | undefined): string | undefined {
  if (/=>\s*$/.test(code.slice(Math.max(0, brace - 8), brace))) return arrowName(code, brace)
  if (!parameters) return undefined
  const between = code.slice(parameters[1] + 1, brace)
  if (between.trim() !== '' && !isReturnType(between)) return undefined
  const head = code.slice(Math.max(0, parameters[0] - 200), parameters[0])
  const name = /([\w$#]+)\s*(?:<[^()]*>)?\s*$/.exec(head)?.[1] ?? 'anonymous'
  return statements.has(name) ? undefined : name
}

/** `: Promise<Map<string, { a: number }>> `, but not the next statement after a call's parenthesis. */
function isReturnType(between: string): boolean {
  if (!between.startsWith(':') || between.length > 600) return false
  let outside = between
  for (let before = ''; before !== outside;) {
    before = outside
    outside = outside.replace(/<[^<>{}[\]]*>|\{[^<>{}[\]]*\}|\[[^<>{}[\]]*\]/g, ' x ')
  }
  return /^:[^\S\n]*[\w'"|][^\n;=<{[]*$/.test(outside)
}

function arrowName(code: string, brace: number): string {
  const head = code.slice(Math.max(0, brace - 300), brace)
  return /(?:const|let)\s+([\w$]+)[^;{}]*=>\s*$/.exec(head)?.[1] ?? 'arrow function'
}
