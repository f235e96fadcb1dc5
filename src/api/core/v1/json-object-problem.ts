/** Why a text is not a JSON object, in the words of the reader of the API server; undefined if it is one. */
export function jsonObjectProblem(text: string): string | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return 'unexpected end of JSON input'
  try {
    return kindProblem(JSON.parse(trimmed))
  } catch {
    return syntaxProblem(text)
  }
}

function kindProblem(value: unknown): string | undefined {
  if (value === null || (typeof value === 'object' && !Array.isArray(value))) return undefined
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`
}

/** Told exactly where the value does not even begin, or ends too early; elsewhere only that it is wrong. */
function syntaxProblem(text: string): string {
  const first = text.trimStart()[0] ?? ''
  if (!'{["tfn-0123456789'.includes(first)) {
    return `invalid character ${quoted(first)} looking for beginning of value`
  }
  const second = /^\s*\{\s*(\S)/s.exec(text)?.[1]
  if (first === '{' && second === undefined) return 'unexpected end of JSON input'
  if (second !== undefined && second !== '"' && second !== '}') {
    return `invalid character ${quoted(second)} looking for beginning of object key string`
  }
  const literal = { t: 'true', f: 'false', n: 'null' }[first]
  if (literal !== undefined) return literalProblem(text.trimStart(), literal)
  return 'unexpected end of JSON input'
}

function literalProblem(text: string, literal: string): string {
  for (let index = 1; index < literal.length; index++) {
    const found = text[index]
    if (found === undefined) return 'unexpected end of JSON input'
    if (found !== literal[index]) {
      return `invalid character ${quoted(found)} in literal ${literal} (expecting ${quoted(literal[index] ?? '')})`
    }
  }
  return `invalid character ${quoted(text[literal.length] ?? '')} after top-level value`
}

function quoted(character: string): string {
  if (character === "'") return `'\\''`
  return character === '"' ? `'"'` : `'${JSON.stringify(character).slice(1, -1)}'`
}
