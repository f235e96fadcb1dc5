import { compilePattern, PatternError } from '../pattern.ts'
import type { Call, Expr } from './ast.ts'
import { CelError } from './cel-error.ts'
import { parseDuration, parseTimestamp } from './time-text.ts'

export interface BadLiteral {
  readonly at: number
  readonly why: string
}

const readers: Readonly<Record<string, (text: string) => unknown>> = {
  duration: parseDuration,
  timestamp: parseTimestamp,
  matches: compilePattern,
}

/** What is wrong with a text that a call reads, where the text is written out: no value could make it right. */
export function badLiteral({ name, target, args }: Call): BadLiteral | undefined {
  const read = Object.hasOwn(readers, name) ? readers[name] : undefined
  const arg: Expr | undefined = args.at(-1)
  const isOwn = target === undefined || name === 'matches'
  if (read === undefined || !isOwn || arg?.kind !== 'literal' || typeof arg.value !== 'string') return undefined
  try {
    read(arg.value)
    return undefined
  } catch (error) {
    if (error instanceof CelError || error instanceof PatternError)
      return { at: arg.at, why: `invalid ${name} argument` }
    throw error
  }
}
