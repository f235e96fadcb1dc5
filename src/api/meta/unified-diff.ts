import { matchingBlocks } from './matching-blocks.ts'

/** The lines in which two texts differ, in the unified form with three lines of context. For texts of some hundred lines. */
export function unifiedDiff(before: string, after: string): string {
  const left = before.split('\n')
  const right = after.split('\n')
  return hunksOf(editsBetween(left, right))
    .map((hunk) => formatHunk(hunk, left, right))
    .join('')
}

/** Lines `beforeStart` to `beforeEnd` become lines `afterStart` to `afterEnd`. */
interface Edit {
  readonly isEqual: boolean
  readonly beforeStart: number
  readonly beforeEnd: number
  readonly afterStart: number
  readonly afterEnd: number
}

const contextLines = 3

function editsBetween(before: readonly string[], after: readonly string[]): readonly Edit[] {
  const edits: Edit[] = []
  let i = 0
  let j = 0
  for (const block of matchingBlocks(before, after)) {
    if (i < block.before || j < block.after) {
      edits.push({ isEqual: false, beforeStart: i, beforeEnd: block.before, afterStart: j, afterEnd: block.after })
    }
    i = block.before + block.size
    j = block.after + block.size
    if (block.size === 0) continue
    edits.push({ isEqual: true, beforeStart: block.before, beforeEnd: i, afterStart: block.after, afterEnd: j })
  }
  return edits
}

/** Changes no further apart than twice the context share a hunk. */
function hunksOf(edits: readonly Edit[]): readonly (readonly Edit[])[] {
  const hunks: Edit[][] = []
  let hunk: Edit[] = []
  for (const [index, edit] of edits.entries()) {
    if (!edit.isEqual) {
      hunk.push(edit)
      continue
    }
    const isFirst = index === 0
    const isLast = index === edits.length - 1
    if (!isFirst && !isLast && edit.beforeEnd - edit.beforeStart <= 2 * contextLines) {
      hunk.push(edit)
      continue
    }
    if (!isFirst) hunks.push([...hunk, firstLines(edit)])
    hunk = isLast ? [] : [lastLines(edit)]
  }
  if (hunk.some(({ isEqual }) => !isEqual)) hunks.push(hunk)
  return hunks.filter((all) => all.some(({ isEqual }) => !isEqual))
}

function firstLines(edit: Edit): Edit {
  const { beforeStart, beforeEnd, afterStart } = edit
  const count = Math.min(beforeEnd - beforeStart, contextLines)
  return { ...edit, beforeEnd: beforeStart + count, afterEnd: afterStart + count }
}

function lastLines(edit: Edit): Edit {
  const { beforeStart, beforeEnd, afterEnd } = edit
  const count = Math.min(beforeEnd - beforeStart, contextLines)
  return { ...edit, beforeStart: beforeEnd - count, afterStart: afterEnd - count }
}

function formatHunk(hunk: readonly Edit[], before: readonly string[], after: readonly string[]): string {
  const [first] = hunk
  const last = hunk.at(-1)
  if (first === undefined || last === undefined) return ''
  const ranges = [formatRange(first.beforeStart, last.beforeEnd), formatRange(first.afterStart, last.afterEnd)]
  const body = hunk.map((edit) => {
    const removed = before.slice(edit.beforeStart, edit.beforeEnd)
    if (edit.isEqual) return marked(' ', removed)
    return marked('-', removed) + marked('+', after.slice(edit.afterStart, edit.afterEnd))
  })
  return `@@ -${ranges.join(' +')} @@\n${body.join('')}`
}

function formatRange(start: number, end: number): string {
  const length = end - start
  if (length === 1) return `${start + 1}`
  return `${length === 0 ? start : start + 1},${length}`
}

function marked(mark: string, lines: readonly string[]): string {
  return lines.map((line) => `${mark}${line}\n`).join('')
}
