/**
 * The lines in which two texts differ, in the unified form with three lines of context. Meant for short texts: the work
 * grows with the product of their lengths.
 */
export function unifiedDiff(before: string, after: string): string {
  const edits = editsBetween(before.split('\n'), after.split('\n'))
  return hunksOf(edits)
    .map((hunk) => formatHunk(edits, hunk))
    .join('')
}

interface Edit {
  readonly mark: ' ' | '-' | '+'
  readonly text: string
}

interface Hunk {
  readonly start: number
  readonly end: number
}

const contextLines = 3

/** Longest common subsequence, by the table of the lengths of all suffixes. */
function editsBetween(before: readonly string[], after: readonly string[]): readonly Edit[] {
  const width = after.length + 1
  const lengths = new Uint32Array((before.length + 1) * width)
  const lengthAt = (i: number, j: number): number => lengths[i * width + j] ?? 0
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const same = before[i] === after[j]
      lengths[i * width + j] = same ? lengthAt(i + 1, j + 1) + 1 : Math.max(lengthAt(i + 1, j), lengthAt(i, j + 1))
    }
  }
  const edits: Edit[] = []
  let i = 0
  let j = 0
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      edits.push({ mark: ' ', text: before[i++] ?? '' })
      j++
    } else if (i < before.length && (j >= after.length || lengthAt(i + 1, j) >= lengthAt(i, j + 1))) {
      edits.push({ mark: '-', text: before[i++] ?? '' })
    } else edits.push({ mark: '+', text: after[j++] ?? '' })
  }
  return edits
}

function hunksOf(edits: readonly Edit[]): readonly Hunk[] {
  const hunks: Hunk[] = []
  for (const [index, { mark }] of edits.entries()) {
    if (mark === ' ') continue
    const start = Math.max(index - contextLines, 0)
    const end = Math.min(index + contextLines + 1, edits.length)
    const last = hunks.at(-1)
    if (last !== undefined && start <= last.end) hunks[hunks.length - 1] = { start: last.start, end }
    else hunks.push({ start, end })
  }
  return hunks
}

function formatHunk(edits: readonly Edit[], { start, end }: Hunk): string {
  const before = edits.slice(0, start)
  const lines = edits.slice(start, end)
  const range = (skipped: '-' | '+'): string => {
    const first = before.filter(({ mark }) => mark !== skipped).length + 1
    return `${first},${lines.filter(({ mark }) => mark !== skipped).length}`
  }
  const body = lines.map(({ mark, text }) => `${mark}${text}\n`).join('')
  return `@@ -${range('+')} +${range('-')} @@\n${body}`
}
