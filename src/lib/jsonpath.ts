/** A path that cannot be read. */
export class JsonPathError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'JsonPathError'
  }
}

/** Finds all values at a path, in document order; missing members give nothing. */
export type JsonPath = (root: unknown) => readonly unknown[]

type Step = (value: unknown) => readonly unknown[]

/**
 * Compiles a path of the dialect that printed columns and `kubectl -o jsonpath` share:
 * `.spec.list[*].name`, `.a['b.c']`, `.list[0]`, `.list[-1:]`, `..name`, `.list[?(@.type=="Ready")].status`.
 * Throws `JsonPathError`.
 */
export function compileJsonPath(text: string): JsonPath {
  const steps = new PathReader(text).steps()
  return (root) => steps.reduce<readonly unknown[]>((values, step) => values.flatMap((value) => step(value)), [root])
}

/** The member names of a path that only goes down by names, or undefined for any other. */
export function plainPath(text: string): readonly string[] | undefined {
  const names: string[] = []
  const member = /\.((?:[^.[\]'"\\\s]|\\.)+)|\[(?:'([^']*)'|"([^"]*)")\]/y
  while (member.lastIndex < text.length) {
    const found = member.exec(text)
    if (found === null) return undefined
    names.push(found[2] ?? found[3] ?? (found[1] as string).replace(/\\(.)/g, '$1'))
  }
  return names.length === 0 ? undefined : names
}

class PathReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  steps(until: string = ''): Step[] {
    const steps: Step[] = []
    while (this.#at < this.#text.length && (until === '' || !until.includes(this.#text[this.#at] as string))) {
      steps.push(this.#step(steps.length === 0))
    }
    return steps
  }

  #step(isFirst: boolean): Step {
    const text = this.#text
    if (isFirst && (text[this.#at] === '$' || text[this.#at] === '@')) {
      this.#at++
      return (value) => [value]
    }
    if (text.startsWith('..', this.#at)) {
      this.#at += 2
      const name = this.#name()
      return (value) => descendants(value).flatMap(memberOf(name))
    }
    if (text[this.#at] === '[') return this.#bracket()
    if (text[this.#at] === '.') this.#at++
    else if (!isFirst) throw new JsonPathError(`unexpected path element ${JSON.stringify(text.slice(this.#at))}`)
    if (text[this.#at] === '[') return this.#bracket()
    if (text[this.#at] === '*') {
      this.#at++
      return membersOf
    }
    return memberOf(this.#name())
  }

  #name(): string {
    const name = /(?:[^.[\]()=!<>&|\s\\]|\\.)+/y
    name.lastIndex = this.#at
    const found = name.exec(this.#text)
    if (found === null) {
      if (this.#at >= this.#text.length) return ''
      throw new JsonPathError(`invalid path ${JSON.stringify(this.#text)}`)
    }
    this.#at = name.lastIndex
    return found[0].replace(/\\(.)/g, '$1')
  }

  #bracket(): Step {
    if (this.#text.startsWith('[?(', this.#at)) return this.#filter()
    const form =
      /\[\s*(?:(\*)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d*):(-?\d*)(?::(\d+))?|(-?\d+(?:,-?\d+)*))\s*\]/y
    form.lastIndex = this.#at
    const found = form.exec(this.#text)
    if (found === null) throw new JsonPathError(`invalid array index ${this.#text.slice(this.#at)}`)
    this.#at = form.lastIndex
    const [, all, single, double, from, to, step, indices] = found
    if (all !== undefined) return membersOf
    const quoted = single ?? double
    if (quoted !== undefined) return memberOf(quoted.replace(/\\(.)/g, '$1'))
    if (indices !== undefined) return pick(indices.split(',').map(Number))
    return slice(from === '' ? undefined : Number(from), to === '' ? undefined : Number(to), Number(step ?? 1) || 1)
  }

  #filter(): Step {
    this.#at += '[?('.length
    const left = this.#operand()
    const operator = /\s*(==|!=|<=|>=|<|>)?\s*/y
    operator.lastIndex = this.#at
    const found = operator.exec(this.#text)
    this.#at = operator.lastIndex
    const kind = found?.[1]
    const right = kind === undefined ? undefined : this.#operand()
    if (!this.#text.startsWith(')]', this.#at)) throw new JsonPathError('unterminated filter')
    this.#at += 2
    return (value) => (membersOf(value) as readonly unknown[]).filter((item) => holds(left(item), kind, right?.(item)))
  }

  #operand(): (item: unknown) => readonly unknown[] {
    const literal = /\s*(?:'([^']*)'|"([^"]*)"|(true|false|null|-?\d+(?:\.\d+)?))/y
    literal.lastIndex = this.#at
    const found = literal.exec(this.#text)
    if (found !== null) {
      this.#at = literal.lastIndex
      const value: unknown = found[1] ?? found[2] ?? JSON.parse(found[3] as string)
      return () => [value]
    }
    while (this.#text[this.#at] === ' ') this.#at++
    const steps = this.steps(' =!<>)')
    return (item) => steps.reduce<readonly unknown[]>((values, step) => values.flatMap((value) => step(value)), [item])
  }
}

function holds(left: readonly unknown[], operator: string | undefined, right: readonly unknown[] | undefined): boolean {
  if (operator === undefined || right === undefined) return left.length > 0
  const [a] = left
  const [b] = right
  if (left.length === 0 || right.length === 0) return false
  if (operator === '==') return a === b
  if (operator === '!=') return a !== b
  if (typeof a !== typeof b || (typeof a !== 'number' && typeof a !== 'string')) return false
  const order = a < (b as typeof a) ? -1 : a === b ? 0 : 1
  if (operator === '<') return order < 0
  if (operator === '<=') return order <= 0
  return operator === '>' ? order > 0 : order >= 0
}

function memberOf(name: string): Step {
  if (name === '') return (value) => [value]
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return []
    return [(value as Record<string, unknown>)[name]]
  }
}

const membersOf: Step = (value) => {
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value) as unknown[]
}

function pick(indices: readonly number[]): Step {
  return (value) => {
    if (!Array.isArray(value)) return []
    return indices.flatMap((index) => {
      const at = index < 0 ? value.length + index : index
      return at >= 0 && at < value.length ? [value[at] as unknown] : []
    })
  }
}

function slice(from: number | undefined, to: number | undefined, step: number): Step {
  return (value) =>
    Array.isArray(value) ? (value.slice(from, to) as unknown[]).filter((_item, index) => index % step === 0) : []
}

function descendants(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  return [value, ...Object.values(value).flatMap(descendants)]
}
