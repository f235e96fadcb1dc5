/** Runs of equal lines: `size` lines from `before` in one text stand as lines from `after` in the other. */
export interface MatchingBlock {
  readonly before: number
  readonly after: number
  readonly size: number
}

/**
 * The runs that two texts have in common, by the method of Ratcliff and Obershelp: the longest run first, then the same
 * to its left and to its right. Lines that make up more than a hundredth of a long second text begin no run. Ends with
 * an empty block past both texts.
 *
 * For `a b c d` and `b c x d` the blocks are `b c` and `d`.
 */
export function matchingBlocks(before: readonly string[], after: readonly string[]): readonly MatchingBlock[] {
  const positions = positionsOf(after)
  const found: MatchingBlock[] = []
  const open: Range[] = [{ beforeStart: 0, beforeEnd: before.length, afterStart: 0, afterEnd: after.length }]
  for (let range = open.pop(); range !== undefined; range = open.pop()) {
    const block = longestBlock(before, after, positions, range)
    if (block.size === 0) continue
    found.push(block)
    open.push(
      { ...range, beforeEnd: block.before, afterEnd: block.after },
      { ...range, beforeStart: block.before + block.size, afterStart: block.after + block.size },
    )
  }
  found.sort((left, right) => left.before - right.before || left.after - right.after)
  return [...joinNeighbours(found), { before: before.length, after: after.length, size: 0 }]
}

interface Range {
  readonly beforeStart: number
  readonly beforeEnd: number
  readonly afterStart: number
  readonly afterEnd: number
}

type Positions = ReadonlyMap<string, readonly number[]>

const longText = 200

function positionsOf(lines: readonly string[]): Positions {
  const positions = new Map<string, number[]>()
  for (const [index, line] of lines.entries()) {
    const known = positions.get(line)
    if (known === undefined) positions.set(line, [index])
    else known.push(index)
  }
  if (lines.length < longText) return positions
  const mostOften = Math.floor(lines.length / 100) + 1
  return new Map([...positions].filter(([, indices]) => indices.length <= mostOften))
}

function longestBlock(
  before: readonly string[],
  after: readonly string[],
  positions: Positions,
  range: Range,
): MatchingBlock {
  let best: MatchingBlock = { before: range.beforeStart, after: range.afterStart, size: 0 }
  let lengths = new Map<number, number>()
  for (let index = range.beforeStart; index < range.beforeEnd; index++) {
    const next = new Map<number, number>()
    for (const position of positions.get(before[index] ?? '') ?? []) {
      if (position < range.afterStart) continue
      if (position >= range.afterEnd) break
      const size = (lengths.get(position - 1) ?? 0) + 1
      next.set(position, size)
      if (size > best.size) best = { before: index - size + 1, after: position - size + 1, size }
    }
    lengths = next
  }
  return grow(before, after, best, range)
}

/** Takes in equal lines on both sides: those too common to begin a run. */
function grow(before: readonly string[], after: readonly string[], block: MatchingBlock, range: Range): MatchingBlock {
  let { before: i, after: j, size } = block
  while (i > range.beforeStart && j > range.afterStart && before[i - 1] === after[j - 1]) {
    i--
    j--
    size++
  }
  while (i + size < range.beforeEnd && j + size < range.afterEnd && before[i + size] === after[j + size]) size++
  return { before: i, after: j, size }
}

function joinNeighbours(blocks: readonly MatchingBlock[]): readonly MatchingBlock[] {
  const joined: MatchingBlock[] = []
  for (const block of blocks) {
    const last = joined.at(-1)
    const touches =
      last !== undefined && last.before + last.size === block.before && last.after + last.size === block.after
    if (touches) joined[joined.length - 1] = { ...last, size: last.size + block.size }
    else joined.push(block)
  }
  return joined
}
