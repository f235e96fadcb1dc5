/** What a file of variables is written in: a strict part of the shell's language. */
export class EnvFileError extends Error {
  constructor(what: string, line: number) {
    super(`${what} at line ${line}`)
    this.name = 'EnvFileError'
  }
}

/**
 * The value of a variable in a file that an init container wrote (KEP-3721), or `undefined` when it does not give the
 * variable. Values stand in single quotes, as they are, over several lines if need be:
 *
 *     # a comment
 *     NAME='a value' # another
 *     TEXT='two
 *     lines'
 *     EMPTY=
 *
 * Throws `EnvFileError` at the first line before the variable that is written otherwise; the error never quotes it.
 */
export function valueInEnvFile(text: string, name: string): string | undefined {
  const lines = text.split('\n')
  for (let index = 0; index < lines.length; index++) {
    const line = (lines[index] ?? '').trimStart()
    if (line === '' || line.startsWith('#')) continue
    const [, key, rest = ''] = /^([^\s='#]+)=(.*)$/s.exec(line) ?? []
    if (key === undefined) throw new EnvFileError('invalid environment variable format', index + 1)
    const begin = index
    let value = ''
    if (rest.startsWith("'")) {
      let quoted = rest.slice(1)
      while (!quoted.includes("'")) {
        index++
        if (index >= lines.length) throw new EnvFileError('unclosed single quote', begin + 1)
        quoted += `\n${lines[index]}`
      }
      const end = quoted.indexOf("'")
      value = quoted.slice(0, end)
      requireNothingMore(quoted.slice(end + 1), index + 1)
    } else if (/^\S/.test(rest)) throw new EnvFileError('value is not enclosed in single quotes', index + 1)
    if (key === name) return value
  }
  return undefined
}

function requireNothingMore(rest: string, line: number): void {
  if (rest.trim() === '' || /^\s+#/.test(rest)) return
  throw new EnvFileError('unexpected text after the closing quote', line)
}
