/** One breach of house style. `line` counts from 1; 0 speaks of the file as a whole. */
export interface Problem {
  readonly path: string
  readonly line: number
  /** Says what is wrong and what to do instead. */
  readonly message: string
}

/** `path:line: message`, as editors and terminals like it. */
export function formatProblem({ path, line, message }: Problem): string {
  return line === 0 ? `${path}: ${message}` : `${path}:${line}: ${message}`
}
