/**
 * The message of an error; a failure of the file system in the words that users of Go programs know:
 * `open /a/b: no such file or directory`.
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, syscall, path } = error as NodeJS.ErrnoException
  if (code === undefined || syscall === undefined) return error.message
  const [, reason] = /^E[A-Z0-9]+: ([^,]+), /.exec(error.message) ?? []
  if (reason === undefined) return error.message
  return `${syscall}${path === undefined ? '' : ` ${path}`}: ${reason}`
}
