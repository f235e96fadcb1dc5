/** A regular expression that RE2 would not take; the message says why in RE2's words. */
export class PatternError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'PatternError'
  }
}

const maxRepeat = 1000
const flagGroup = /\(\?([imsU]*)(?:-([imsU]+))?(:|\))/y

/**
 * Compiles a pattern of RE2's syntax to a `RegExp` that finds the same matches. Throws `PatternError` for what RE2 refuses:
 * lookaround, back references, broken syntax. What only JavaScript reads is refused as well.
 *
 * Example: `^(?i)a\z` becomes `/^(?i:a)$/u`.
 */
export function compilePattern(pattern: string, extraFlags: string = ''): RegExp {
  const translated = translate(pattern)
  try {
    return new RegExp(translated, `u${extraFlags}`)
  } catch {
    throw new PatternError(`error parsing regexp: invalid or unsupported syntax: \`${pattern}\``)
  }
}

function translate(pattern: string): string {
  let out = ''
  let index = 0
  let inClass = false
  /** Closing texts of groups that flags in mid-pattern opened, by depth. */
  const closers: number[] = [0]
  while (index < pattern.length) {
    const character = pattern[index] as string
    if (character === '\\') {
      const [text, used] = translateEscape(pattern, index, inClass)
      out += text
      index += used
    } else if (inClass) {
      const posix = /^\[:(\^?)([a-z]+):\]/.exec(pattern.slice(index))
      if (posix !== null) {
        out += posixClass(posix[2] as string, posix[1] === '^')
        index += posix[0].length
        continue
      }
      if (character === ']') inClass = false
      out += character === '[' ? '\\[' : character
      index++
    } else if (character === '[') {
      inClass = true
      const opening = /^\[\^?\]?/.exec(pattern.slice(index))?.[0] ?? '['
      // A closing bracket that comes first stands for itself.
      out += opening.endsWith(']') ? `${opening.slice(0, -1)}\\]` : opening
      index += opening.length
    } else if (character === '(') {
      flagGroup.lastIndex = index
      const flags = flagGroup.exec(pattern)
      if (flags !== null && flags[0] !== '(?:') {
        const text = flagsText(flags[1] ?? '', flags[2] ?? '')
        out += `(?${text}:`
        if (flags[3] === ')') closers[closers.length - 1] = (closers.at(-1) ?? 0) + 1
        else closers.push(0)
        index += flags[0].length
        continue
      }
      out += groupOpening(pattern, index)
      index += groupLength(pattern, index)
      closers.push(0)
    } else if (character === ')') {
      if (closers.length === 1) throw new PatternError(`error parsing regexp: unexpected ): \`${pattern}\``)
      out += `${')'.repeat(closers.pop() ?? 0)})`
      index++
    } else if (character === '{' || character === '}') {
      const repeat = character === '{' ? /^\{(\d+)(?:,(\d*))?\}/.exec(pattern.slice(index)) : null
      if (repeat !== null && Math.max(Number(repeat[1]), Number(repeat[2] ?? 0)) > maxRepeat) {
        throw new PatternError(`error parsing regexp: invalid repeat count: \`${repeat[0]}\``)
      }
      out += repeat === null ? `\\${character}` : repeat[0]
      index += repeat === null ? 1 : repeat[0].length
    } else {
      out += character === ']' ? '\\]' : character
      index++
    }
  }
  return out + ')'.repeat(closers[0] ?? 0)
}

function flagsText(on: string, off: string): string {
  if (on.includes('U') || off.includes('U'))
    throw new PatternError('error parsing regexp: ungreedy flag is unsupported')
  return off === '' ? on : `${on}-${off}`
}

/** What opens a group: capturing, named or plain. Lookaround is refused, as RE2 cannot do it in linear time. */
function groupOpening(pattern: string, index: number): string {
  const named = /^\(\?P?<([A-Za-z_]\w*)>/.exec(pattern.slice(index))
  if (named !== null) return `(?<${named[1]}>`
  if (pattern.startsWith('(?:', index)) return '(?:'
  if (pattern.startsWith('(?', index)) {
    throw new PatternError(
      `error parsing regexp: invalid or unsupported Perl syntax: \`${pattern.slice(index, index + (pattern[index + 2] === '<' ? 4 : 3))}\``,
    )
  }
  return '('
}

function groupLength(pattern: string, index: number): number {
  return /^\(\?P?<[A-Za-z_]\w*>|^\(\?:|^\(/.exec(pattern.slice(index))?.[0].length ?? 1
}

const plainEscapes = 'dDwWbBtnrfv'

function translateEscape(pattern: string, index: number, inClass: boolean): [text: string, used: number] {
  const next = pattern[index + 1]
  if (next === undefined) throw new PatternError('error parsing regexp: trailing backslash at end of expression: ``')
  if (next === 's') return [inClass ? '\\t\\n\\f\\r ' : '[\\t\\n\\f\\r ]', 2]
  if (next === 'S') return ['[^\\t\\n\\f\\r ]', 2]
  if (next === 'A' && !inClass) return ['(?<![\\s\\S])', 2]
  if (next === 'z' && !inClass) return ['(?![\\s\\S])', 2]
  if (next === 'a') return ['\\x07', 2]
  if (next === 'Q') return quoted(pattern, index)
  if (next === 'p' || next === 'P') return unicodeClass(pattern, index)
  if (next === 'x') {
    const hex = /^\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]+)\})/.exec(pattern.slice(index))
    if (hex === null) throw invalidEscape(pattern.slice(index, index + 2))
    return [`\\u{${hex[1] ?? hex[2]}}`, hex[0].length]
  }
  if (plainEscapes.includes(next)) return [`\\${next}`, 2]
  if (/[0-9A-Za-z]/.test(next)) throw invalidEscape(pattern.slice(index, index + 2))
  if ('^$\\.*+?()[]{}|/-'.includes(next)) return [next === '-' && !inClass ? '-' : `\\${next}`, 2]
  return [next, 2]
}

function quoted(pattern: string, index: number): [string, number] {
  const end = pattern.indexOf('\\E', index)
  const text = pattern.slice(index + 2, end < 0 ? undefined : end)
  return [text.replace(/[\^$\\.*+?()[\]{}|/]/g, '\\$&'), text.length + (end < 0 ? 2 : 4)]
}

function unicodeClass(pattern: string, index: number): [string, number] {
  const found = /^\\([pP])(?:([A-Z])|\{(\^?)(\w+)\})/.exec(pattern.slice(index))
  if (found === null) throw invalidEscape(pattern.slice(index, index + 2))
  const name = found[2] ?? found[4] ?? ''
  const letter = (found[1] === 'P') !== (found[3] === '^') ? 'P' : 'p'
  return [`\\${letter}{${name.length > 2 ? `Script=${name}` : name}}`, found[0].length]
}

function invalidEscape(text: string): PatternError {
  return new PatternError(`error parsing regexp: invalid escape sequence: \`${text}\``)
}

const posixClasses: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}

function posixClass(name: string, isNegated: boolean): string {
  const members = posixClasses[name]
  if (members === undefined || isNegated) {
    throw new PatternError(
      `error parsing regexp: invalid character class range: \`[:${isNegated ? '^' : ''}${name}:]\``,
    )
  }
  return members
}
