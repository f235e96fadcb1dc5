/** A string literal without placeholders: its value and where its opening quote stands. */
export interface Literal {
  readonly at: number
  readonly value: string
}

/** Source text taken apart so that later rules may search it with plain patterns. */
export interface BlankedText {
  /** As long as the source; comments, string contents and regular expressions are spaces, quotes and newlines stay. */
  readonly code: string
  /** The mirror image: only comments, everything else spaces. */
  readonly comments: string
  readonly literals: readonly Literal[]
}

type Span = readonly [kind: 'comment' | 'string' | 'regexp', start: number, end: number]

/** Words after which a slash begins a regular expression and not a division. */
const beforeExpression =
  /(?:^|[^\w$.])(?:return|typeof|case|in|of|do|else|void|delete|throw|await|yield|instanceof|new)$/

/**
 * Splits TypeScript into code, comments and literals. This is a lexer only for what hides text: it knows comments,
 * quotes, templates with nested code and regular expressions, and copies everything else.
 *
 *   const a = 'x' // y     →  code:     const a = ' '
 *                             comments:              // y
 */
export function blank(text: string): BlankedText {
  const spans = findSpans(text)
  const literals: Literal[] = []
  const code: string[] = []
  const comments: string[] = []
  let copied = 0
  for (const [kind, start, end] of spans) {
    const quoted = kind === 'string' ? 1 : 0
    const hidden = spacesFor(text.slice(start + quoted, end - quoted))
    const between = text.slice(copied, start + quoted)
    code.push(between, hidden)
    comments.push(spacesFor(between), kind === 'comment' ? text.slice(start, end) : hidden)
    if (kind === 'string') literals.push({ at: start, value: text.slice(start + 1, end - 1) })
    copied = end - quoted
  }
  code.push(text.slice(copied))
  comments.push(spacesFor(text.slice(copied)))
  return { code: code.join(''), comments: comments.join(''), literals }
}

function spacesFor(text: string): string {
  return text.replace(/[^\n]+/g, (line) => ' '.repeat(line.length))
}

const interesting = /\/\/|\/\*|['"`{}/]/g

function findSpans(text: string): Span[] {
  const spans: Span[] = []
  // One entry for each open brace: true where it is the `${` of a template.
  const braces: boolean[] = []
  const scan = new RegExp(interesting)
  const addTemplate = (start: number): void => {
    const end = endOfTemplate(text, start + 1)
    spans.push(['string', start, end])
    if (text.charAt(end - 1) === '{') braces.push(true)
    scan.lastIndex = end
  }
  for (let match = scan.exec(text); match; match = scan.exec(text)) {
    const [found] = match
    const start = match.index
    if (found === '{') braces.push(false)
    else if (found === '}') {
      if (braces.pop() === true) addTemplate(start)
    } else if (found === '`') addTemplate(start)
    else {
      const span = simpleSpan(text, found, start)
      if (!span) continue
      spans.push(span)
      scan.lastIndex = span[2]
    }
  }
  return spans
}

function simpleSpan(text: string, found: string, start: number): Span | undefined {
  if (found === '//') return ['comment', start, endOrLast(text, text.indexOf('\n', start))]
  if (found === '/*') return ['comment', start, endOrLast(text, text.indexOf('*/', start + 2) + 2, 1)]
  if (found === '/') return startsExpression(text, start) ? ['regexp', start, endOfRegexp(text, start)] : undefined
  return ['string', start, endOfQuoted(text, start, found)]
}

function endOrLast(text: string, end: number, absent = -1): number {
  return end === absent ? text.length : end
}

function endOfQuoted(text: string, start: number, quote: string): number {
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\\') at++
    else if (character === quote || character === '\n') return at + 1
  }
  return text.length
}

/** The end of the template's text that begins at `start`: just after its closing backtick or its next `${`. */
function endOfTemplate(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\\') at++
    else if (character === '`') return at + 1
    else if (character === '$' && text.charAt(at + 1) === '{') return at + 2
  }
  return text.length
}

function endOfRegexp(text: string, start: number): number {
  let inClass = false
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\\') at++
    else if (character === '[') inClass = true
    else if (character === ']') inClass = false
    else if (character === '\n' || (character === '/' && !inClass)) return at + 1
  }
  return text.length
}

function startsExpression(text: string, slash: number): boolean {
  const before = text.slice(Math.max(0, slash - 40), slash).trimEnd()
  return before === '' || /[=(,:;[!&|?{}+*%<>~^-]$/.test(before) || beforeExpression.test(before)
}
