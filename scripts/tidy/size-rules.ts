import { findFunctions } from './functions.ts'
import { isGenerated } from './graph-rules.ts'
import type { Problem } from './problem.ts'
import type { SourceFile } from './source-file.ts'

/** Today's exceptions with their size, in `sizes.json`: `path` or `path#function` to lines. It may only shrink. */
export type SizeLedger = Readonly<Record<string, number>>

interface Measured {
  readonly key: string
  readonly path: string
  readonly line: number
  readonly lines: number
  readonly limit: number
}

const fileLimit = 600
const functionLimit = 70

/** Files and functions over their limit or over what the ledger grants, and ledger rows that are out of date. */
export function sizeProblems(files: readonly SourceFile[], ledger: SizeLedger): Problem[] {
  const large = files.filter((file) => !isGenerated(file.path)).flatMap(measure)
  const sizes = new Map(large.map((entry) => [entry.key, entry.lines]))
  const tooLarge = large.flatMap((entry) => grown(entry, ledger[entry.key]))
  const stale = Object.entries(ledger).filter(([key, granted]) => (sizes.get(key) ?? 0) < granted)
  return [
    ...tooLarge,
    ...stale.map(([key]) => ({
      path: 'scripts/tidy/sizes.json',
      line: 0,
      message: `'${key}' has shrunk: keep the gain with node scripts/tidy.ts --shrink`,
    })),
  ]
}

/** The ledger with every row lowered to what is measured now; it never gains a row. */
export function shrinkLedger(files: readonly SourceFile[], ledger: SizeLedger): SizeLedger {
  const sizes = new Map(files.flatMap(measure).map((entry) => [entry.key, entry.lines]))
  const rows = Object.entries(ledger).flatMap(([key, granted]) => {
    const lines = sizes.get(key)
    return lines === undefined ? [] : [[key, Math.min(lines, granted)] as const]
  })
  return Object.fromEntries(rows)
}

function grown({ path, line, key, lines, limit }: Measured, granted: number | undefined): Problem[] {
  if (lines <= (granted ?? limit)) return []
  const what = key.includes('#') ? `function '${key.slice(key.indexOf('#') + 1)}'` : 'the file'
  return [{ path, line, message: `${what} has ${lines} lines, ${granted ?? limit} are the limit: split it by concept` }]
}

/** Everything in the file that is over its limit. A test file's functions count without the tests nested in them. */
function measure(file: SourceFile): Measured[] {
  const { path } = file
  const isTest = /\.(test|case)\.ts$/.test(path)
  const lines = file.text.split('\n').length - 1
  const whole: Measured = { key: path, path, line: 0, lines, limit: fileLimit }
  const functions = findFunctions(file.code).map((span): Measured => {
    const length = isTest ? span.ownLines : span.lines
    return { key: `${path}#${span.name}`, path, line: span.line, lines: length, limit: functionLimit }
  })
  return [whole, ...functions].filter((entry) => entry.lines > entry.limit)
}
