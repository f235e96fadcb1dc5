/** One line of a log file in CRI's format: `2026-01-02T03:04:05.123456789Z stdout F text`. */
export interface CriLine {
  readonly timestamp: string
  readonly stream: 'stdout' | 'stderr'
  /** With its line end, unless it is a part of a longer line (`P`). */
  readonly text: string
}

/** Reads a line without its line end; `undefined` for one that is cut off or no log line. */
export function parseCriLine(line: string): CriLine | undefined {
  const afterTime = line.indexOf(' ')
  const afterStream = line.indexOf(' ', afterTime + 1)
  const afterTag = line.indexOf(' ', afterStream + 1)
  if (afterTime < 0 || afterStream < 0 || afterTag < 0) return undefined
  const stream = line.slice(afterTime + 1, afterStream)
  if (stream !== 'stdout' && stream !== 'stderr') return undefined
  const tags = line.slice(afterStream + 1, afterTag).split(':')
  const text = line.slice(afterTag + 1)
  return { timestamp: line.slice(0, afterTime), stream, text: tags[0] === 'P' ? text : `${text}\n` }
}
