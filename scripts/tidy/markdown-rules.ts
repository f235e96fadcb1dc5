import type { Problem } from './problem.ts'

/** One first-level heading a page, and no link that cites a line: lines move, names stay. */
export function markdownProblems(path: string, text: string): Problem[] {
  const lines = withoutFences(text).split('\n')
  const headings = lines.flatMap((line, index) => (line.startsWith('# ') ? [index + 1] : []))
  const problems = lines.flatMap((line, index): Problem[] => {
    const cited = /#L\d+|\.(?:ts|js|mjs|json|sh):\d+/.exec(line)?.[0]
    return cited === undefined ? [] : [{ path, line: index + 1, message: `'${cited}' cites a line: name the function` }]
  })
  if (headings.length === 0) problems.push({ path, line: 0, message: "has no title: begin with one '# ' heading" })
  const extra = headings.slice(1).map((line) => ({ path, line, message: "has a second '# ' heading: use '## '" }))
  return [...problems, ...extra]
}

/** The text with the contents of code fences emptied, so that a shell comment is not taken for a heading. */
function withoutFences(text: string): string {
  return text.replace(/^(```|~~~)[^\n]*\n[\s\S]*?^\1/gm, (fence) => fence.replace(/[^\n]+/g, ''))
}
