/**
 * The parameters of a query as Kubernetes reads them: a pair with a semicolon or a broken escape (`limit=%zz`) is left
 * out, all other pairs count.
 */
export function parseQuery(text: string): URLSearchParams {
  if (!text.includes('%') && !text.includes(';')) return new URLSearchParams(text)
  const readable = text.split('&').filter((pair) => !pair.includes(';') && !brokenEscape.test(pair))
  return new URLSearchParams(readable.join('&'))
}

const brokenEscape = /%(?![0-9a-f]{2})/i

/** Whether a path has only whole escapes; one with `%zz` is no path at all. */
export function isReadablePath(path: string): boolean {
  return !path.includes('%') || !brokenEscape.test(path)
}
