/**
 * Why a strategically merged object cannot be read, in the words of the reader that upstream uses for it: that one goes
 * from value to value without text, where every other body is read as JSON. `problem` is what JSON's reader says.
 */
export function typedPatchProblem(problem: string): string {
  const parts = /^json: cannot unmarshal (\S+)(?: (\S+))? into Go (?:value|struct field \S+) of type (\S+)$/.exec(
    problem,
  )
  if (parts === null) return problem
  const [, found = '', number, type = ''] = parts
  const from = kindOf(found, number)
  if (type.startsWith('map[')) return `cannot restore map from ${from}`
  if (type.startsWith('[]')) return `cannot restore slice from ${from}`
  const isNumber = from === 'int64' || from === 'float64'
  if (type === 'string') return from === 'int64' ? `cannot convert int64 to string` : 'unrecognized type: string'
  if (type === 'bool') return 'unrecognized type: bool'
  if (/^u?int\d*$|^float\d+$/.test(type)) {
    return isNumber ? `cannot convert ${from} to ${type}` : `unrecognized type: ${type}`
  }
  return `cannot restore struct from: ${from}`
}

function kindOf(found: string, number: string | undefined): string {
  if (found === 'number') return number !== undefined && /[.eE]/.test(number) ? 'float64' : 'int64'
  if (found === 'object') return 'map'
  return found === 'array' ? 'slice' : found
}
