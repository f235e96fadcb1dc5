import { CelError } from './cel-error.ts'
import { formatText } from './format-text.ts'
import { listIndexOf } from './list-functions.ts'
import type { CelFunction, CelFunctions } from './cel-function.ts'
import { isList, type CelValue } from './values.ts'

function texts(use: (...texts: string[]) => CelValue): CelFunction {
  return (args) => {
    if (!args.every((arg) => typeof arg === 'string')) throw new CelError('no such overload')
    return use(...(args as readonly string[]))
  }
}

function text(value: CelValue | undefined): string {
  if (typeof value !== 'string') throw new CelError('no such overload')
  return value
}

function index(value: CelValue | undefined): number {
  if (typeof value !== 'bigint') throw new CelError('no such overload')
  return Number(value)
}

function inRange(at: number, length: number): number {
  if (at < 0 || at > length) throw new CelError(`index out of range: ${at}`)
  return at
}

/** Functions of texts (CEL, "strings" extension, version 2). Positions count characters. */
export const stringFunctions: CelFunctions = {
  contains: texts((value, part) => value.includes(part as string)),
  startsWith: texts((value, part) => value.startsWith(part as string)),
  endsWith: texts((value, part) => value.endsWith(part as string)),
  lowerAscii: texts((value) => value.replace(/[A-Z]/g, (letter) => letter.toLowerCase())),
  upperAscii: texts((value) => value.replace(/[a-z]/g, (letter) => letter.toUpperCase())),
  trim: texts((value) => value.replace(/^[\s\u0085]+|[\s\u0085]+$/gu, '')),
  reverse: ([value]) => {
    if (isList(value as CelValue)) return (value as readonly CelValue[]).toReversed()
    return Array.from(text(value)).reverse().join('')
  },
  charAt: ([value, at]) => {
    const characters = Array.from(text(value))
    return characters[inRange(index(at), characters.length)] ?? ''
  },
  indexOf: (args) => (isList(args[0] as CelValue) ? listIndexOf(args, false) : find(args, false)),
  lastIndexOf: (args) => (isList(args[0] as CelValue) ? listIndexOf(args, true) : find(args, true)),
  substring: ([value, from, to]) => {
    const characters = Array.from(text(value))
    const start = inRange(index(from), characters.length)
    const end = to === undefined ? characters.length : inRange(index(to), characters.length)
    if (start > end) throw new CelError(`invalid substring range. start: ${start}, end: ${end}`)
    return characters.slice(start, end).join('')
  },
  replace: ([value, from, to, limit]) => {
    const most = limit === undefined ? -1 : index(limit)
    if (most < 0) return text(value).replaceAll(text(from), () => text(to))
    let left = most
    return text(value).replaceAll(text(from), (found) => (left-- > 0 ? text(to) : found))
  },
  split: ([value, separator, limit]) => {
    const pieces = text(separator) === '' ? Array.from(text(value)) : text(value).split(text(separator))
    const most = limit === undefined ? -1 : index(limit)
    if (most < 0 || pieces.length <= most) return pieces
    if (most === 0) return []
    return [...pieces.slice(0, most - 1), pieces.slice(most - 1).join(text(separator))]
  },
  join: ([list, separator]) => {
    if (!isList(list as CelValue)) throw new CelError('no such overload')
    return (list as readonly CelValue[]).map(text).join(separator === undefined ? '' : text(separator))
  },
  format: ([pattern, args]) => formatText(text(pattern), args as readonly CelValue[]),
  'strings.quote': texts((value) => JSON.stringify(value)),
}

function find([value, part, at]: readonly CelValue[], backwards: boolean): bigint {
  const characters = Array.from(text(value))
  const wanted = Array.from(text(part))
  const isAt = (position: number): boolean => wanted.every((each, offset) => characters[position + offset] === each)
  const last = characters.length - wanted.length
  const start = at === undefined ? (backwards ? characters.length : 0) : inRange(index(at), characters.length)
  if (backwards) {
    for (let position = Math.min(start, last); position >= 0; position--) if (isAt(position)) return BigInt(position)
  } else for (let position = start; position <= last; position++) if (isAt(position)) return BigInt(position)
  return -1n
}
