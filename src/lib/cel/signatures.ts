import {
  abstractType,
  dynType,
  listOf,
  mapOf,
  objectType,
  type AbstractType,
  type SimpleName,
  type Type,
} from './types.ts'

/** One way to call a function. `target`: what stands before the dot of a call in member form. */
export interface Signature {
  readonly target: Type | undefined
  readonly args: readonly Type[]
  readonly result: Type
}

export type Signatures = ReadonlyMap<string, readonly Signature[]>

const simpleNames: ReadonlySet<string> = new Set<SimpleName>([
  'bool',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'null',
  'timestamp',
  'duration',
  'dyn',
])

/**
 * Reads declarations of functions, one a line: the name, then one way to call it or several, parted by `|`. Single
 * capitals are parameters.
 *
 *     size: (string) int | list(A).() int
 */
export function readSignatures(text: string): Signatures {
  const found = new Map<string, readonly Signature[]>()
  for (const line of text.split('\n')) {
    const [, name, ways] = /^\s*(\S+): (.*\S)\s*$/.exec(line) ?? []
    if (name === undefined || ways === undefined) continue
    found.set(name, [...(found.get(name) ?? []), ...ways.split(' | ').map((way) => new SignatureReader(way).read())])
  }
  return found
}

/** Several tables as one; ways to call the same name add up. */
export function joinSignatures(...tables: readonly Signatures[]): Signatures {
  const joined = new Map<string, readonly Signature[]>()
  for (const table of tables) {
    for (const [name, ways] of table) joined.set(name, [...(joined.get(name) ?? []), ...ways])
  }
  return joined
}

class SignatureReader {
  #text: string

  constructor(text: string) {
    this.#text = text
  }

  read(): Signature {
    const target = this.#text.startsWith('(') ? undefined : this.#type()
    if (target !== undefined) this.#take('.')
    const args = this.#types()
    return { target, args, result: this.#type() }
  }

  #take(mark: string): boolean {
    const rest = this.#text.trimStart()
    if (!rest.startsWith(mark)) return false
    this.#text = rest.slice(mark.length)
    return true
  }

  #types(): Type[] {
    const types: Type[] = []
    this.#take('(')
    while (!this.#take(')')) {
      types.push(this.#type())
      this.#take(',')
    }
    return types
  }

  #type(): Type {
    const [name = ''] = /^\s*[A-Za-z_]+(?:\.[A-Za-z_]+)*/.exec(this.#text) ?? []
    this.#text = this.#text.slice(name.length)
    return typeOf(name.trim(), this.#text.startsWith('(') ? this.#types() : [])
  }
}

function typeOf(name: string, parameters: readonly Type[]): Type {
  const [first = dynType, second = dynType] = parameters
  if (simpleNames.has(name)) return { kind: 'simple', name: name as SimpleName }
  if (name === 'list') return listOf(first)
  if (name === 'map') return mapOf(first, second)
  if (name === 'type') return { kind: 'type', of: first }
  if (/^[A-Z]$/.test(name)) return { kind: 'parameter', name }
  if (name === 'JSONPatch') return objectType(name, 'any')
  const abstract: AbstractType = abstractType(name, ...parameters)
  return abstract
}
