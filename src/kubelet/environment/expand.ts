/**
 * Replaces `$(NAME)` by the variable's value. An unknown name stays as written, and `$$` stands for one `$` that begins
 * no reference (API reference, EnvVar). One pass: what a value contains is not expanded again.
 */
export function expandVariables(text: string, valueOf: (name: string) => string | undefined): string {
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (match, name: string | undefined) =>
    name === undefined ? '$' : (valueOf(name) ?? match),
  )
}
